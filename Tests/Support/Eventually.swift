import Daemon
import FoundationEssentials
import Glibc

/// Returns once something holds that another process brings about; throws when it does not within a minute, which no
/// machine is too slow for.
package func eventually(_ holds: () async throws -> Bool) async throws {
    for _ in 0..<3_000 {
        if try await holds() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    throw TestHouseError("it did not come true within a minute")
}

/// What a line of shell prints.
package func shell(_ line: String) async throws -> String {
    let path = "/tmp/octavo-shell-\(UInt64.random(in: 0 ... .max))"
    let output = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    defer {
        close(output)
        unlink(path)
    }
    var launch = ChildProcess.Launch(path: "/bin/sh")
    launch.arguments = ["-c", line]
    launch.environment = ["PATH": "/usr/local/bin:/usr/bin:/bin"]
    launch.standardOutput = output
    _ = try await ChildProcess(launch).waitForExit()
    return FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
}
