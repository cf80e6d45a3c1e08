import Daemon
import FoundationEssentials
import Glibc
import Synchronization

/// The machine, or a folder that becomes one, as an installation sees it.
struct Host: Sendable {
    /// Put before every path; empty for the machine itself.
    let root: String
    /// Only says what it would change.
    let isDryRun: Bool
    /// How much of that there was so far.
    private let said = Count()

    init(root: String = "", isDryRun: Bool = false) {
        self.root = root.hasSuffix("/") ? String(root.dropLast()) : root
        self.isDryRun = isDryRun
    }

    /// Whether there are services, users and a database, and not files alone.
    var isMachine: Bool { root.isEmpty }

    // MARK: Programs

    /// Runs a program that changes something, such as systemctl. Errors: ``Failure`` with what it said.
    func run(_ program: String, _ arguments: [String]) async throws {
        let words = ([program] + arguments).joined(separator: " ")
        guard !isDryRun else { return would("run \(words)") }
        let output = try await output(of: program, arguments)
        guard output.succeeded else { throw Failure("`\(words)` failed (\(output.exit)). \(output.said)") }
    }

    /// As above, where it does not matter whether there was anything to do.
    func attempt(_ program: String, _ arguments: [String]) async throws {
        guard !isDryRun else { return would("run \(([program] + arguments).joined(separator: " "))") }
        _ = try await output(of: program, arguments)
    }

    /// What a program that changes nothing prints; nil when it fails.
    func ask(_ program: String, _ arguments: [String]) async throws -> String? {
        let output = try await output(of: program, arguments, limit: .seconds(20))
        return output.succeeded ? output.text.trimmed : nil
    }

    /// The credentials that a unit loads, with its drop-ins, `NAME:PATH` each: from its text, since systemd 252 shows the
    /// property as "[unprintable]".
    func credentials(of unit: String) async throws -> [String] {
        let setting = "LoadCredential="
        let name = String(unit.prefix { $0 != "." })
        return (try await ask("systemctl", ["cat", unit]) ?? "").split(separator: "\n").filter { $0.hasPrefix(setting) }
            .map { $0.dropFirst(setting.count).replacing("%N", with: name).description }
    }

    /// Whether the machine has that program.
    static func has(_ program: String) -> Bool { path(of: program) != nil }

    /// - Parameter user: whose rights it gets; nil for those of this process.
    func output(
        of program: String,
        _ arguments: [String],
        as user: String? = nil,
        limit: Duration = ProgramOutput.usualLimit
    ) async throws -> ProgramOutput {
        guard let path = Self.path(of: program) else {
            throw Failure("\(program) is not on this machine. Octavo is installed on Debian 12 or later with systemd.")
        }
        var launch = ChildProcess.Launch(path: path)
        launch.arguments = arguments
        launch.environment = ["PATH": Self.folders.joined(separator: ":"), "LANG": "C.UTF-8", "PGCONNECT_TIMEOUT": "5"]
        launch.directory = "/"
        if let user { launch.identity = try Self.identity(of: user) }
        return try await ProgramOutput(of: launch, limit: limit)
    }

    private static let folders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]

    private static func path(of program: String) -> String? {
        folders.map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
    }

    private static func identity(of user: String) throws -> ChildProcess.Identity? {
        guard let entry = getpwnam(user)?.pointee else { throw Failure("There is no user \(user) on this machine.") }
        return geteuid() == 0 ? ChildProcess.Identity(user: entry.pw_uid, group: entry.pw_gid) : nil
    }

    // MARK: Files

    func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(root + path, &status) == 0
    }

    func text(of path: String) -> String? {
        FileManager.default.contents(atPath: root + path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// What is in a folder; nothing when there is none.
    func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: root + folder)) ?? []).sorted()
    }

    /// Removes a file, or a folder with all that is in it. Nothing happens when it is not there.
    func remove(_ path: String) throws {
        guard exists(path) else { return }
        guard !isDryRun else { return would("remove \(root + path)") }
        do {
            try FileManager.default.removeItem(atPath: root + path)
        } catch {
            throw Failure("\(root + path) cannot be removed: \(String(cString: strerror(errno))).")
        }
    }

    /// Removes a folder that nobody else has put something into.
    func removeIfEmpty(_ folder: String) {
        if !isDryRun { rmdir(root + folder) }
    }

    func would(_ text: String) {
        said.number.add(1, ordering: .relaxed)
        Terminal.output.line("  would \(text)")
    }

    /// Whether `body` has said of anything that it would do it.
    func saysAnything(_ body: () async throws -> Void) async rethrows -> Bool {
        let before = said.number.load(ordering: .relaxed)
        try await body()
        return said.number.load(ordering: .relaxed) != before
    }

    private final class Count: Sendable {
        let number = Atomic(0)
    }
}

/// What a program said, and how it ended.
struct ProgramOutput: Sendable {
    let exit: ChildProcess.Exit
    let text: String
    let errors: String

    var succeeded: Bool { exit == .code(0) }

    /// For a message: what it said last.
    var said: String { Terminal.harmless(String((errors.trimmed.isEmpty ? text : errors).trimmed.suffix(2_000))) }

    /// Longer than the longest wait there is here, of a service that is stopped or a migration.
    static let usualLimit = Duration.seconds(1_200)

    /// Runs it to its end, and ends it when that takes too long. What it says goes to files without names, so that nobody
    /// has to read while it writes.
    init(of launch: ChildProcess.Launch, limit: Duration = usualLimit) async throws {
        var launch = launch
        let output = try Self.scratch()
        defer { close(output) }
        let errors = try Self.scratch()
        defer { close(errors) }
        launch.standardOutput = output
        launch.standardError = errors
        let child = try ChildProcess(launch)
        exit = try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                try await Task.sleep(for: limit)
                child.kill()
            }
            defer { tasks.cancelAll() }
            return try await child.waitForExit()
        }
        text = Self.text(output)
        self.errors = Self.text(errors)
    }

    private static func scratch() throws -> CInt {
        var template = Array("/tmp/octavo-output-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw Failure("/tmp cannot be written: \(String(cString: strerror(errno))).") }
        unlink(template)
        return descriptor
    }

    /// The most that is read of it: more than any program says that is run here.
    private static let mostBytes = 1 << 20

    private static func text(_ descriptor: CInt) -> String {
        let bytes = [UInt8](unsafeUninitializedCapacity: mostBytes) { buffer, count in
            count = max(0, pread(descriptor, buffer.baseAddress, buffer.count, 0))
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension String {
    /// Without white space around it.
    var trimmed: String {
        let end = reversed().drop(while: \.isWhitespace).reversed()
        return String(String.SubSequence(String(end)).drop(while: \.isWhitespace))
    }
}
