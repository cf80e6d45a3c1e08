import Glibc
import PrivateCluster
import Testing

@testable import Postgres

/// What goes wrong between a connection and its server, one known trap a test.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ConnectionFaultTests {
    /// libpq closes the socket of the host that refuses and opens the next one under the same number, which epoll no
    /// longer knows.
    @Test func aReusedDescriptorIsNotLost() async throws {
        let cluster = try await PrivateCluster.shared()
        // Port 1 of the first host refuses; the socket directory's port is the server's.
        let configuration = try patient(
            PostgresConfiguration(
                "host=127.0.0.1,\(cluster.directory) port=1,5432 user=\(cluster.role) dbname=postgres"
            )
        )
        for _ in 0..<5 {
            let connection = try await PostgresConnection.connect(configuration)
            #expect(try await connection.query("select 1").count == 1)
        }
    }

    @Test(arguments: ["host=127.0.0.1 port=1", "host=/nowhere", "host=/tmp port=1"])
    func nobodyListeningIsUnavailable(text: String) async throws {
        let configuration = try PostgresConfiguration(text)
        let error = await #expect(throws: PostgresError.self) { try await PostgresConnection.connect(configuration) }
        #expect(error?.code == .unavailable)
        #expect(error?.isUnavailable == true)
    }

    @Test func anUnknownDatabaseIsUnavailableAndSaysSo() async throws {
        var configuration = try await newDatabase()
        configuration.database = "absent"
        let error = await #expect(throws: PostgresError.self) { try await PostgresConnection.connect(configuration) }
        #expect(error?.code == .unavailable)
        #expect(error?.reason.contains("absent") == true)
    }

    @Test func aSessionEndedWhileIdleIsNoticedAtOnce() async throws {
        let configuration = try await newDatabase()
        let killer = try await PostgresConnection.connect(configuration)
        let (closings, closed) = AsyncStream.makeStream(of: Void.self)
        let connection = try await PostgresConnection.connect(configuration) { closed.yield() }
        let backend = try #require(await connection.backendID)
        try await killer.query("select pg_terminate_backend(\(backend))")
        // Nobody uses the connection: the reactor noticed by itself.
        for await _ in closings { break }
        #expect(connection.condition == .closed)
        let error = await #expect(throws: PostgresError.self) { try await connection.query("select 1") }
        #expect(error?.code == .connectionLost)
        #expect(error?.server?.state == .adminShutdown)
    }

    @Test func aSessionEndedInsideATransactionIsNotAnUnknownOutcome() async throws {
        let configuration = try await newDatabase()
        let killer = try await PostgresConnection.connect(configuration)
        let connection = try await PostgresConnection.connect(configuration)
        let failed = await code {
            try await connection.withTransaction { connection in
                let backend = try await connection.query("select pg_backend_pid()")[0][0, as: Int32.self]
                try await killer.query("select pg_terminate_backend(\(backend), 60000)")
                try await connection.query("select 1")
            }
        }
        #expect(failed == .connectionLost || failed == .sqlState(.adminShutdown))
        #expect(connection.condition == .closed)
    }

    @Test func aSessionEndedDuringAStatementTellsThatItWasRolledBack() async throws {
        let configuration = try await newDatabase()
        let killer = try await PostgresConnection.connect(configuration)
        let connection = try await PostgresConnection.connect(configuration)
        let backend = try #require(await connection.backendID)
        async let failure = code { try await connection.query("select pg_sleep(600)") }
        try await killWhenRunning(backend, "pg_sleep", from: killer)
        #expect(await failure == .sqlState(.adminShutdown))
        #expect(connection.condition == .closed)
    }

    /// A trigger that is deferred to the commit sleeps there, so the session can be ended during the commit.
    @Test(arguments: [true, false])
    func aSessionEndedDuringTheCommitIsAnUnknownOutcome(isExplicit: Bool) async throws {
        let configuration = try await newDatabase()
        let killer = try await PostgresConnection.connect(configuration)
        try await makeSlowCommit(killer)
        let connection = try await PostgresConnection.connect(configuration)
        let backend = try #require(await connection.backendID)
        async let failure = code {
            if isExplicit {
                try await connection.withTransaction { try await $0.query("insert into slow values (1)") }
            } else {
                try await connection.query("insert into slow values (1)")
            }
        }
        try await killWhenRunning(backend, isExplicit ? "commit" : "insert into slow", from: killer)
        #expect(await failure == .outcomeUnknown)
    }

    @Test func aLostConnectionIsNoUnknownOutcomeForAReader() async throws {
        let configuration = try await newDatabase()
        let killer = try await PostgresConnection.connect(configuration)
        try await makeSlowCommit(killer)
        let connection = try await PostgresConnection.connect(configuration)
        let backend = try #require(await connection.backendID)
        async let failure = code { try await connection.query("insert into slow values (1)", isReadOnly: true) }
        try await killWhenRunning(backend, "insert into slow", from: killer)
        #expect(await failure == .sqlState(.adminShutdown))
    }

    @Test(arguments: [true, false])
    func aStatementPastItsDeadlineIsCancelledAndTheConnectionStays(isReadOnly: Bool) async throws {
        let connection = try await newConnection()
        for _ in 1...3 {
            let failed = await code {
                try await connection.query(
                    "select pg_sleep(600)",
                    isReadOnly: isReadOnly,
                    deadline: .now + .milliseconds(50)
                )
            }
            #expect(failed == .timedOut)
            #expect(try await connection.query("select 1").count == 1)
        }
    }

    @Test(arguments: [true, false])
    func aCancelledTaskEndsItsStatementAndTheConnectionStays(isReadOnly: Bool) async throws {
        let connection = try await newConnection()
        let backend = try #require(await connection.backendID)
        let task = Task { await code { try await connection.query("select pg_sleep(600)", isReadOnly: isReadOnly) } }
        try await eventually("it has begun") { await connection.isBusy }
        task.cancel()
        #expect(await task.value == .cancelled)
        #expect(await connection.settle())
        #expect(await connection.backendID == backend)
        #expect(try await connection.query("select 1").count == 1)
    }

    /// A backend that has not yet read its statement ignores what it is asked meanwhile.
    @Test(arguments: [true, false])
    func aCancelRequestThatOvertakesItsStatementIsRepeated(isReadOnly: Bool) async throws {
        let connection = try await newConnection()
        let backend = try #require(await connection.backendID)
        try #require(kill(backend, SIGSTOP) == 0)
        defer { kill(backend, SIGCONT) }
        let task = Task { await code { try await connection.query("select pg_sleep(600)", isReadOnly: isReadOnly) } }
        try await eventually("it has begun") { await connection.isBusy }
        task.cancel()
        try await eventually("it was asked") { await connection.nextCancelRequest != nil }
        try await eventually("the request has ended") { await !connection.isCancelRequestUnderWay }
        kill(backend, SIGCONT)
        #expect(await task.value == .cancelled)
        #expect(await connection.settle())
        #expect(await connection.backendID == backend)
    }

    @Test func aTaskCancelledBeforehandSendsNothing() async throws {
        let connection = try await newConnection()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await code { try await connection.query("select 1") }
        }
        #expect(await task.value == .cancelled)
        #expect(connection.condition == .clean)
        #expect(await code { try await connection.query("select 1", deadline: .now - .seconds(1)) } == .timedOut)
        #expect(connection.condition == .clean)
    }

    @Test func aCancelledTransactionIsRolledBack() async throws {
        let connection = try await newConnection()
        try await connection.query("create table book (id int8)")
        let task = Task {
            await code {
                try await connection.withTransaction { connection in
                    try await connection.query("insert into book values (1)")
                    try await connection.query("select pg_sleep(600)")
                }
            }
        }
        try await eventually("it has begun") { await connection.isInsideTransaction }
        task.cancel()
        #expect(await task.value == .cancelled)
        #expect(try await connection.query("select from book").isEmpty)
    }

    /// A stopped postmaster accepts connections in the kernel and answers nobody: `PQcancel` blocks for as long, and so
    /// would connecting.
    @Test func nobodyHangsWithAStoppedPostmaster() async throws {
        let cluster = try await PrivateCluster.temporary()
        let configuration = try PostgresConfiguration(cluster.connectionString(database: "postgres"))
        let connection = try await PostgresConnection.connect(configuration)
        let writer = try await PostgresConnection.connect(configuration)
        let postmaster = try #require(cluster.processID)
        kill(postmaster, SIGSTOP)

        let connecting = await code {
            try await PostgresConnection.connect(configuration, deadline: .now + .milliseconds(100))
        }
        #expect(connecting == .timedOut)
        let reading = await code {
            try await connection.query("select pg_sleep(600)", isReadOnly: true, deadline: .now + .milliseconds(100))
        }
        #expect(reading == .timedOut)
        // Nobody can say whether it will commit once the postmaster goes on.
        let writing = await code {
            try await writer.query("select pg_sleep(600)", deadline: .now + .seconds(2))
        }
        #expect(writing == .outcomeUnknown)
        // The server never answered the cancel request, so the connection cannot be used again.
        #expect(await connection.settle() == false)
        #expect(connection.condition == .closed)

        kill(postmaster, SIGCONT)
        let again = try await PostgresConnection.connect(configuration, deadline: .now + .seconds(60))
        #expect(try await again.query("select 1").count == 1)
        await cluster.stop()
    }

    @Test func aCancelledConnectEndsAtOnce() async throws {
        // A listening socket nobody accepts from.
        let directory = try await PrivateCluster.shared().directory
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = "\(directory)/.s.PGSQL.9"
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0 && listen(listener, 1) == 0)
        let configuration = try PostgresConfiguration("host=\(directory) port=9 connect_timeout=60 user=octavo")
        let task = Task { await code { try await PostgresConnection.connect(configuration) } }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        #expect(await task.value == .cancelled)
    }

    private func makeSlowCommit(_ connection: PostgresConnection) async throws {
        try await connection.run(
            script: """
                create table slow (id int8);
                create function sleep() returns trigger language plpgsql as $$
                    begin perform pg_sleep(60); return null; end
                $$;
                create constraint trigger sleep after insert on slow deferrable initially deferred
                    for each row execute function sleep();
                """
        )
    }

    private func killWhenRunning(_ backend: Int32, _ text: String, from killer: PostgresConnection) async throws {
        try await eventually("the statement runs") {
            try await killer.query(
                """
                select from pg_stat_activity
                where pid = \(backend) and query like \("%\(text)%") and wait_event = 'PgSleep'
                """
            ).count == 1
        }
        try await killer.query("select pg_terminate_backend(\(backend))")
    }
}
