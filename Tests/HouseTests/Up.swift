import Console
import Daemon
import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// A state folder that is removed afterwards.
func withState(_ body: (String) async throws -> Void) async throws {
    let state = "/tmp/octavo-up-\(UInt32.random(in: 0 ... .max))"
    defer {
        try? FileManager.default.removeItem(atPath: state)
        unlink(state + "-output")
    }
    try await body(state)
}

/// A process of `octavo up` and what it says.
struct Up {
    let state: String
    let child: ChildProcess
    let output: String

    init(
        _ state: String,
        _ arguments: [String] = ["--port", "0"],
        environment: [String: String] = [:],
        output: String? = nil
    ) throws {
        self.state = state
        self.output = output ?? state + "-output"
        let descriptor = open(self.output, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        defer { close(descriptor) }
        var launch = try ChildProcess.Launch(path: House.programs() + "/octavo")
        launch.arguments = ["up", "--state", state] + arguments
        launch.environment = environment
        launch.environment["PATH"] = "/usr/local/bin:/usr/bin:/bin"
        launch.standardOutput = descriptor
        launch.standardError = descriptor
        child = try ChildProcess(launch)
    }

    var text: String {
        FileManager.default.contents(atPath: output).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// The address it tells, once it is up.
    func address() async throws -> String {
        try await eventually {
            if text.contains("Ctrl-C") { return true }
            if text.contains("Error:") { throw NotUp(description: text) }
            return false
        }
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("Octavo is up: ") })
        return String(line.dropFirst("Octavo is up: ".count).prefix { $0 != " " })
    }

    /// Returns once a file of the state folder is there, by the beginning of its path.
    func reach(_ file: String) async throws {
        let path = state + "/" + file
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        for _ in 0..<60_000 {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: String(path[..<slash]))) ?? []
            if names.contains(where: { $0.hasPrefix(path[slash...].dropFirst()) }) { return }
            // What is there for a moment only may be gone before this looks again.
            if file.hasSuffix("data.new-"), names.contains("data") { return }
            if text.contains("Error:") { throw NotUp(description: text) }
            try await Task.sleep(for: .milliseconds(1))
        }
        throw NotUp(description: "\(file) did not come: \(text)")
    }

    /// Ctrl-C.
    func stop() async throws -> ChildProcess.Exit {
        kill(child.pid, SIGINT)
        return try await child.waitForExit()
    }

    /// Its services by name.
    func children(_ name: String) async throws -> [pid_t] {
        let all = try? String(contentsOfFile: "/proc/\(child.pid)/task/\(child.pid)/children", encoding: .utf8)
        let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(child.pid)/task")
        let lists = tasks.compactMap {
            try? String(contentsOfFile: "/proc/\(child.pid)/task/\($0)/children", encoding: .utf8)
        }
        return ([all].compactMap { $0 } + lists).flatMap { $0.split(separator: " ").compactMap { pid_t($0) } }.filter {
            Self.program($0)?.hasSuffix("/" + name) == true
        }
    }

    /// Whether SIGSTOP has taken effect.
    static func isStopped(_ process: pid_t) -> Bool {
        let line = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
        return line.contains(") T ")
    }

    /// The server of its private cluster.
    var postmaster: pid_t? {
        let lines = try? String(contentsOfFile: state + "/postgres/data/postmaster.pid", encoding: .utf8)
        return lines?.split(separator: "\n").first.flatMap { pid_t($0) }
    }

    /// Every process of its private cluster: they work in its data.
    var postgres: [pid_t] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.compactMap { pid_t($0) }.filter { process in
            let folder = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/cwd")
            return folder?.hasPrefix(state + "/postgres/data") == true
                && Self.program(process)?.contains("postgres") == true
        }
    }

    private static func program(_ process: pid_t) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/exe")
    }
}

/// What it said instead of coming up.
struct NotUp: Error {
    let description: String
}
