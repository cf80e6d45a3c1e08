internal import CLinux
internal import Glibc
public import Systemd

extension ChildProcess {
    /// Whose rights a child gets. Dropping them needs root.
    public struct Identity: Sendable, Hashable {
        /// The user's number.
        public var user: UInt32
        /// The group's number.
        public var group: UInt32
        /// Every further group; the parent's are dropped.
        public var supplementaryGroups: [UInt32]

        /// Names the rights.
        public init(user: UInt32, group: UInt32, supplementaryGroups: [UInt32] = []) {
            self.user = user
            self.group = group
            self.supplementaryGroups = supplementaryGroups
        }
    }

    /// What to start, and with what.
    public struct Launch: Sendable {
        /// The program; `PATH` is not searched.
        public var path: String
        /// Without the program's name, which is put before them.
        public var arguments: [String] = []
        /// The whole environment; nothing is inherited. The `LISTEN_…` variables are added for ``sockets``.
        public var environment: [String: String] = [:]
        /// Nil keeps the parent's.
        public var directory: String?
        /// Handed over at descriptors 3, 4, … in this order, by name. The parent keeps its own: connections wait while
        /// the child is restarted.
        public var sockets: [ListenSocket] = []
        /// Nil keeps the parent's.
        public var identity: Identity?
        /// What standard input reads from; nil for nothing.
        public var standardInput: Int32?
        /// Where standard output goes; nil keeps the parent's.
        public var standardOutput: Int32?
        /// Where standard error goes; nil keeps the parent's.
        public var standardError: Int32?
        /// Sent to the child when this process dies, however it dies.
        public var deathSignal: Int32 = SIGTERM

        /// A program without arguments, environment or sockets.
        public init(path: String) {
            self.path = path
        }
    }
}

/// Why a child did not start.
public struct ChildProcessError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A sentence with the program, the step and the system's reason.
    public let description: String
    /// The errno of the step; 0 when the request itself was refused.
    public let errno: Int32
}

extension ChildProcess.Launch {
    func spawn() throws(ChildProcessError) -> octavo_spawn_result {
        try check()
        let listenPid = "LISTEN_PID="
        let words = CStrings([path] + arguments)
        // The slot comes last: the child writes its own number there, which the parent cannot know before the fork.
        let slot = listenPid + String(repeating: "0", count: Int(OCTAVO_SPAWN_PID_BYTES) - 1)
        let variables = CStrings(variables() + (sockets.isEmpty ? [] : [slot]))
        defer {
            words.free()
            variables.free()
        }

        var request = octavo_spawn_request()
        request.arguments = UnsafePointer(words.base)
        request.environment = UnsafePointer(variables.base)
        request.listen_pid = sockets.isEmpty ? nil : variables.last?.advanced(by: listenPid.utf8.count)
        request.standard_input = standardInput ?? -1
        request.standard_output = standardOutput ?? -1
        request.standard_error = standardError ?? -1
        request.death_signal = deathSignal
        request.own_process_group = true
        request.change_identity = identity != nil
        request.user = identity?.user ?? 0
        request.group = identity?.group ?? 0

        let result = path.withCString { path in
            withOptionalCString(directory) { directory in
                sockets.map(\.descriptor).withUnsafeBufferPointer { descriptors in
                    (identity?.supplementaryGroups ?? []).withUnsafeBufferPointer { groups in
                        request.path = path
                        request.directory = directory
                        request.descriptors = descriptors.baseAddress
                        request.descriptor_count = descriptors.count
                        request.supplementary_groups = groups.baseAddress
                        request.supplementary_group_count = groups.count
                        return octavo_spawn(&request)
                    }
                }
            }
        }
        guard result.failed_step == .OCTAVO_SPAWN_NONE else {
            let step = result.failed_step.sentence
            throw ChildProcessError(
                description: "\(path) could not be started: \(step): \(systemMessage(result.error)).",
                errno: result.error
            )
        }
        return result
    }

    private func variables() -> [String] {
        var all = environment
        all["LISTEN_PID"] = nil
        if !sockets.isEmpty {
            all["LISTEN_FDS"] = "\(sockets.count)"
            all["LISTEN_FDNAMES"] = sockets.map(\.name).joined(separator: ":")
        }
        return all.map { "\($0.key)=\($0.value)" }.sorted()
    }

    /// A NUL would cut a word short and `:` would shift every name after it.
    private func check() throws(ChildProcessError) {
        let words = [path] + arguments + environment.flatMap { [$0.key, $0.value] } + sockets.map(\.name)
        guard !words.contains(where: { $0.utf8.contains(0) }) else {
            throw ChildProcessError(description: "\(path) could not be started: a NUL byte in its words.", errno: 0)
        }
        if let socket = sockets.first(where: { $0.name.contains(":") || $0.name.isEmpty }) {
            throw ChildProcessError(
                description: "\(path) could not be started: \"\(socket.name)\" is no name for a socket.",
                errno: 0
            )
        }
    }
}

extension octavo_spawn_step {
    fileprivate var sentence: String {
        switch self {
        case .OCTAVO_SPAWN_REQUEST: "more than \(OCTAVO_SPAWN_MAX_DESCRIPTORS) sockets"
        case .OCTAVO_SPAWN_RESOURCES: "pipe, thread or pidfd"
        case .OCTAVO_SPAWN_FORK: "fork"
        case .OCTAVO_SPAWN_SIGNALS: "resetting signals"
        case .OCTAVO_SPAWN_GROUP: "setpgid"
        case .OCTAVO_SPAWN_DESCRIPTORS: "passing descriptors"
        case .OCTAVO_SPAWN_IDENTITY: "changing user and groups"
        case .OCTAVO_SPAWN_DEATH_SIGNAL: "tying it to its parent"
        case .OCTAVO_SPAWN_DIRECTORY: "changing to its directory"
        case .OCTAVO_SPAWN_EXEC: "execve"
        case .OCTAVO_SPAWN_NONE: "nothing failed"
        }
    }
}

/// Words as execve(2) takes them.
private struct CStrings {
    let base: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    var last: UnsafeMutablePointer<CChar>? { count > 0 ? base[count - 1] : nil }

    init(_ words: [String]) {
        count = words.count
        base = .allocate(capacity: words.count + 1)
        for (index, word) in words.enumerated() { base[index] = strdup(word) }
        base[words.count] = nil
    }

    func free() {
        for index in 0..<count { Glibc.free(base[index]) }
        base.deallocate()
    }
}

private func withOptionalCString<Result>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
}
