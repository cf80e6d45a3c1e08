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
    private let server = Mutex<Server?>(nil)

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
        server.withLock { $0.take() }?.letGo()
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
            try await cluster.initialize()
            try await cluster.start()
        } catch {
            removeTree(cluster.directory)
            throw error
        }
        return cluster
    }

    /// Starts the cluster in `directory`, which is made and initialised the first time. The user of this process, root
    /// and the server's account may log in as `role`, and nobody else may.
    ///
    /// Throws a `PrivateClusterError` whose description says what to do.
    public static func persistent(
        at directory: String,
        role: String
    ) async throws(PrivateClusterError) -> PrivateCluster {
        guard isPlainName(role) else { throw .invalidRole(role) }
        let programs = try Programs.find()
        let account = try Account.forServer()
        let cluster = PrivateCluster(
            directory: directory,
            role: role,
            programs: programs,
            account: account,
            isTemporary: false
        )
        try account.prepare(directory)
        if access(cluster.data + "/PG_VERSION", F_OK) != 0 { try await cluster.initialize() }
        try cluster.writeAccessRules()
        try await cluster.start()
        return cluster
    }

    /// How to connect to one of its databases, for libpq.
    public func connectionString(database: String) -> String {
        "host=\(quoted(directory)) user=\(quoted(role)) dbname=\(quoted(database))"
    }

    /// Makes a database, a copy of `template`, to which nobody may be connected meanwhile. Throws `failed` with the
    /// program's words.
    public func createDatabase(_ name: String, template: String = "template0") async throws(PrivateClusterError) {
        let arguments = ["--host", directory, "--username", role, "--template", template, name]
        try await run("createdb", arguments)
    }

    /// The process id of the server, nil when it was stopped.
    public var processID: Int32? { server.withLock { $0?.processID } }

    // MARK: Starting and stopping

    /// Starts the server after `stop(keepingData: true)`. Returns when it accepts connections.
    public func start() async throws(PrivateClusterError) {
        guard processID == nil else { return }
        try checkSocketPath()
        try checkNotRunning()
        rotateLog()
        let server = try launch()
        self.server.withLock { $0 = server }
        // What pg_ctl waits for: the eighth line of the lock file, written by the server as it goes.
        let deadline = ContinuousClock.now + .seconds(60)
        // The process id, on its first line, tells it from the file of a server that was killed.
        while postmasterFile(line: 0) != "\(server.processID)" || postmasterFile(line: 7)?.hasPrefix("ready") != true {
            let hasEnded = server.hasEnded()
            guard !hasEnded, ContinuousClock.now < deadline, !Task.isCancelled else {
                await stop(keepingData: true)
                throw explain("postgres", readTail(of: log))
            }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Stops the server, breaking off its sessions, and waits for it to end. A temporary cluster is removed unless its
    /// data are to be kept for another `start`.
    public func stop(keepingData: Bool = false) async {
        if let server = server.withLock({ $0.take() }) {
            server.requestStop()
            // At most as long as the watchdog takes before it kills.
            while !server.hasEnded() { await pause(.milliseconds(5)) }
            server.letGo()
        }
        if isTemporary, !keepingData { removeTree(directory) }
    }

    private func initialize() async throws(PrivateClusterError) {
        var arguments = ["--pgdata", data, "--username", role, "--encoding", "UTF8", "--locale", "C.UTF-8"]
        // Checksums find a bad disk; a temporary cluster need not survive one.
        arguments += isTemporary ? ["--auth", "trust", "--no-sync"] : ["--auth", "peer", "--data-checksums"]
        try await run("initdb", arguments)
    }

    /// Peer authentication: the kernel says who connects, and the map says whom that may be here. Written at every start,
    /// since another user may have become the owner's successor.
    private func writeAccessRules() throws(PrivateClusterError) {
        let users = Set([Account.current.name, "root", account.name]).sorted()
        try account.write("local all all peer map=octavo\n", to: data + "/pg_hba.conf")
        try account.write(
            users.map { "octavo \"\($0)\" \"\(role)\"\n" }.joined(),
            to: data + "/pg_ident.conf"
        )
    }

    private func launch() throws(PrivateClusterError) -> Server {
        var settings = ["listen_addresses=", "unix_socket_directories=\(directory)", "unix_socket_permissions=0777"]
        if isTemporary { settings += ["fsync=off", "full_page_writes=off", "shared_buffers=32MB"] }
        let arguments = [
            "/bin/sh", "-c", Server.watchdog, "postgres-watchdog", programs.path("postgres"), data, log,
            isTemporary ? directory : "",
        ]
        return try Server(arguments + settings.flatMap { ["-c", $0] }, as: account)
    }

    private func run(_ program: String, _ arguments: [String]) async throws(PrivateClusterError) {
        let (status, output) = try await runProgram([programs.path(program)] + arguments, as: account)
        guard status == 0 else { throw explain(program, output) }
    }

    /// Waits although the task may be cancelled: a server must not be left behind half stopped.
    private func pause(_ duration: Duration) async {
        let clock = ContinuousClock()
        let end = clock.now + duration
        while clock.now < end {
            do { try await Task.sleep(until: end) } catch { usleep(5000) }
        }
    }
}
