import Glibc
import Testing

@testable import Postgres
@testable import PrivateCluster

/// A pgbouncer in transaction mode in front of a private cluster, with fewer sessions than a test has clients.
final class PgBouncer: Sendable {
    private static let programs: [String] = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"]

    /// Ends it when this process closes its end of the pipe, however that happens.
    private static let watchdog = """
        exec 2>/dev/null; program=$1; shift
        "$program" -q "$@" & read -r line <&3; kill -KILL $!; wait $!
        """

    private let directory: String
    private let pipe: Int32
    private let process: pid_t

    init(before cluster: PrivateCluster, sessions: Int) async throws {
        let installed = Self.programs.first { access($0, X_OK) == 0 }
        let program = try #require(installed, "pgbouncer is missing: apt-get install pgbouncer")
        let account = try Account.forServer()
        directory = try account.makeTemporaryDirectory()
        try account.write("\"\(cluster.role)\" \"\"\n", to: directory + "/users")
        try account.write(
            """
            [databases]
            * = host=\(cluster.directory) port=5432
            [pgbouncer]
            pool_mode = transaction
            default_pool_size = \(sessions)
            max_client_conn = 500
            auth_type = trust
            auth_file = \(directory)/users
            unix_socket_dir = \(directory)
            listen_port = 6432
            logfile = \(directory)/log

            """,
            to: directory + "/ini"
        )
        let (read, write) = try makeChannel()
        pipe = write
        let child = try spawn(
            ["/bin/sh", "-c", Self.watchdog, "pgbouncer-watchdog", program, directory + "/ini"],
            as: account,
            passing: [read],
            output: nil
        )
        process = child.pid
        close(child.pidfd)
        close(read)
        // Its socket is there before it accepts anyone.
        let configuration = try PostgresConfiguration(connectionString("postgres", role: cluster.role))
        try await eventually("pgbouncer answers") { (try? await PostgresConnection.connect(configuration)) != nil }
    }

    deinit {
        close(pipe)
        waitpid(process, nil, 0)
        removeTree(directory)
    }

    /// How to reach a database through it.
    func connectionString(_ database: String, role: String) -> String {
        "host=\(directory) port=6432 user=\(role) dbname=\(database) pgbouncer=true"
    }
}
