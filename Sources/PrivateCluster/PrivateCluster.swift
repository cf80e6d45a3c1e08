import Glibc
import Synchronization

/// A Postgres server of one's own, reachable over a Unix socket only and ended with the process that started it.
///
/// Two kinds: a temporary one for tests, which loses its data when the machine does and is removed at the end; and a
/// persistent one for a single machine, whose directory is used again at the next start. However the process ends,
/// a watchdog beside the server notices the closed pipe, stops the server and removes what is temporary.
///
/// Postgres refuses to run as root, so for root it runs as the account `postgres`.
public final class PrivateCluster: Sendable {
    /// The directory that holds everything: `data`, the socket and `server.log`.
    public let directory: String
    /// The role to log in as, a superuser of this cluster.
    public let role: String

    let programs: Programs
    let account: Account
    let isTemporary: Bool
    /// The server, and the hold on its directory for as long as it runs.
    private struct Running {
        let server: Server
        let lock: DirectoryLock
    }

    private let running = Mutex<Running?>(nil)

    /// Only the name of its socket, since it listens nowhere else. Said everywhere, since PGPORT may say another.
    private static let port = 5432

    var data: String { directory + "/data" }
    /// What the server wrote, newest last. `server.log.old` holds what came before the last 10 MB.
    public var log: String { directory + "/server.log" }

    private init(directory: String, role: String, programs: Programs, account: Account, isTemporary: Bool) {
        self.directory = directory
        self.role = role
        self.programs = programs
        self.account = account
        self.isTemporary = isTemporary
    }

    deinit {
        // The watchdog ends the server when its pipe closes.
        running.withLock { $0.take() }?.server.letGo()
    }

    /// The temporary cluster that all tests of this process share, started at its first use. Each test makes a database
    /// of its own in it.
    public static func shared() async throws -> PrivateCluster {
        try await sharedStart.value
    }

    // Unstructured, because it belongs to the process and not to whichever test asks first.
    private static let sharedStart = Task { try await PrivateCluster.temporary() }

    /// Makes and starts a cluster in a new directory that is removed at the end. Not safe against a power cut (that is
    /// what makes it fast), and open to whoever may enter its directory: its owner and root.
    public static func temporary() async throws(PrivateClusterError) -> PrivateCluster {
        let programs = try Programs.find()
        let account = try Account.forServer()
        let cluster = PrivateCluster(
            directory: try account.makeTemporaryDirectory(),
            role: "octavo",
            programs: programs,
            account: account,
            isTemporary: true
        )
        do throws(PrivateClusterError) {
            try await cluster.start()
        } catch {
            removeTree(cluster.directory)
            throw error
        }
        return cluster
    }

    /// The cluster in `directory`, not started yet. The user of this process, root and the server's account may log in as
    /// `role`, and nobody else may.
    ///
    /// Throws a `PrivateClusterError` whose description says what to do; nothing was made then.
    public init(at directory: String, role: String) throws(PrivateClusterError) {
        guard isPlainName(role) else { throw .invalidRole(role) }
        guard directory.hasPrefix("/") else { throw .directoryUnusable(directory, reason: "the path is not absolute") }
        self.directory = directory
        self.role = role
        // Data are read by the version that made them and by no other.
        programs = try Programs.find(version: Int(readTail(of: directory + "/data/PG_VERSION").prefix { $0.isNumber }))
        account = try Account.forServer()
        isTemporary = false
        try checkSocketPath()
    }

    /// Starts the cluster in `directory`, as `init(at:role:)` and `start()` do.
    public static func persistent(
        at directory: String,
        role: String
    ) async throws(PrivateClusterError) -> PrivateCluster {
        let cluster = try PrivateCluster(at: directory, role: role)
        try await cluster.start()
        return cluster
    }

    /// How to connect to one of its databases, for libpq.
    public func connectionString(database: String) -> String {
        let text = "host=\(quoted(directory)) port=\(Self.port) user=\(quoted(role)) dbname=\(quoted(database))"
        // Those of tests, of which many want a processor at the same time.
        return isTemporary ? text + " connect_timeout=60" : text
    }

    /// Makes a database, a copy of `template`, to which nobody may be connected meanwhile. Throws `failed` with the
    /// program's words.
    public func createDatabase(_ name: String, template: String = "template0") async throws(PrivateClusterError) {
        let arguments = ["--host", directory, "--username", role, "--template", template, name]
        try await run("createdb", arguments)
    }

    /// The process id of the server, nil when it was stopped.
    public var processID: Int32? { running.withLock { $0?.server.processID } }

    // MARK: Starting and stopping

    /// Starts the server, on new data the first time. Returns when it accepts connections.
    ///
    /// What an earlier server has left is ended first: see `endStrays()`.
    public func start() async throws(PrivateClusterError) {
        guard processID == nil else { return }
        if !isTemporary { try account.prepare(directory) }
        guard let lock = DirectoryLock(directory) else {
            throw .alreadyRunning(directory: directory, processID: postmasterFile(line: 0).flatMap { Int32($0) })
        }
        try await endStrays()
        if !hasData { try await initialize() }
        if !isTemporary { try writeAccessRules() }
        rotateLog()
        let logOffset = logSize
        let server = try launch()
        running.withLock { $0 = Running(server: server, lock: lock) }
        try await waitUntilReady(server, logOffset: logOffset)
    }

    /// Returns when the server has ended although nobody stopped it, with how it did: `signal 9 (Killed)`. It may be
    /// started again then. Nil when it was not started, or the task is cancelled.
    public func waitForEnd() async -> String? {
        guard let server = running.withLock({ $0?.server }), let exit = await server.waitForEnd() else { return nil }
        server.dismissWatchdog()
        running.withLock { if $0?.server === server { $0 = nil } }
        return exit
    }

    /// Stops the server, breaking off its sessions, and waits for it to end; in a cancelled task without its last
    /// checkpoint. A temporary cluster is removed unless its data are to be kept for another `start`.
    public func stop(keepingData: Bool = false) async {
        if let running = running.withLock({ $0.take() }) { await running.server.stop() }
        if isTemporary, !keepingData { removeTree(directory) }
    }

    private func launch() throws(PrivateClusterError) -> Server {
        var settings = [
            "listen_addresses=", "port=\(Self.port)", "unix_socket_directories=\(directory)",
            "unix_socket_permissions=0777",
        ]
        if isTemporary {
            // The suites of a test run have services of their own at the same time, each with a pool.
            settings += ["fsync=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=400"]
        }
        let arguments = [
            "/bin/sh", "-c", Server.watchdog, "postgres-watchdog", programs.path("postgres"), data, log,
            isTemporary ? directory : "",
        ]
        return try Server(arguments + settings.flatMap { ["-c", $0] }, as: account)
    }

    /// What pg_ctl waits for: the eighth line of the lock file, written by the server as it goes.
    private func waitUntilReady(_ server: Server, logOffset: Int) async throws(PrivateClusterError) {
        // Long, since after a crash it first replays the log of what it had not yet brought to its tables.
        let deadline = ContinuousClock.now + .seconds(600)
        // The process id, on the first line, tells it from the file of a server that was killed.
        while postmasterFile(line: 0) != "\(server.processID)" || postmasterFile(line: 7)?.hasPrefix("ready") != true {
            guard server.exit == nil, ContinuousClock.now < deadline, !Task.isCancelled else {
                await stop(keepingData: true)
                throw explain("postgres", readTail(of: log, from: logOffset))
            }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    func run(_ program: String, _ arguments: [String]) async throws(PrivateClusterError) {
        let (status, output) = try await runProgram([programs.path(program)] + arguments, as: account)
        guard status == 0 else { throw explain(program, output) }
    }
}
