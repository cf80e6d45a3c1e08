import Glibc
import PrivateCluster
import Testing

@testable import Postgres

/// Postgres is away, refuses, or comes back. Callers are refused at once, one prober looks, and nobody restarts us.
@Suite(.serialized, .timeLimit(.minutes(5))) struct PoolFaultTests {
    private func limits(size: Int) -> PoolConfiguration {
        var limits = PoolConfiguration()
        limits.size = size
        limits.maximumWait = .seconds(60)
        limits.maximumWaiters = 2000
        return limits
    }

    /// A pool that cannot connect, for whatever reason: everybody is refused, few attempts are made, and once `mend` has
    /// run it serves.
    private func refusesUntilMended(
        _ configuration: PostgresConfiguration,
        attempts: @Sendable @escaping () async throws -> Int,
        mend: @Sendable @escaping () async throws -> Void
    ) async throws {
        try await withPool(configuration, limits: limits(size: 4)) { pool in
            try await eventually("it is down") { pool.status.state == .down }
            let before = try await attempts()
            let codes = await withTaskGroup(of: PostgresError.Code?.self) { group in
                for number in 1...1000 {
                    group.addTask {
                        await code {
                            try await number % 2 == 0 ? pool.query("select 1") : pool.read("select 1")
                        }
                    }
                }
                return await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(codes == [.unavailable])
            // One prober with growing pauses, whoever asks. Connecting for each caller would have been 1000.
            #expect(try await attempts() - before < 20)
            try await mend()
            try await eventually("it serves again") { (try? await pool.query("select 1")) != nil }
            #expect(try await pool.read("select 1").count == 1)
            #expect(pool.status.lastError == nil)
        }
    }

    /// How often the server refused, by its log.
    private func refusals(_ text: String, in cluster: PrivateCluster, _ admin: PostgresConnection) async throws -> Int {
        let rows = try await admin.query("select pg_read_file(\(cluster.log))", isReadOnly: true)
        return try rows[0][0, as: String.self].split(separator: text).count - 1
    }

    @Test func tooManyClientsIsUnavailableUntilThereIsRoom() async throws {
        let cluster = try await PrivateCluster.temporary()
        let text = cluster.connectionString(database: "postgres")
        let admin = try await PostgresConnection.connect(PostgresConfiguration(text))
        try await admin.query("create role reader login connection limit 0")
        let configuration = try patient(PostgresConfiguration("host=\(cluster.directory) user=reader dbname=postgres"))
        try await refusesUntilMended(configuration) {
            try await self.refusals("too many connections", in: cluster, admin)
        } mend: {
            try await admin.query("alter role reader connection limit -1")
        }
        await cluster.stop()
    }

    @Test func aWrongPasswordIsUnavailableAndIsNotTold() async throws {
        let cluster = try await PrivateCluster.temporary()
        let text = cluster.connectionString(database: "postgres")
        let admin = try await PostgresConnection.connect(PostgresConfiguration(text))
        try await admin.run(
            script: """
                create role reader login password 'right';
                copy (values ('local all reader scram-sha-256'), ('local all all trust'))
                    to '\(cluster.directory)/data/pg_hba.conf';
                select pg_reload_conf()
                """
        )
        let configuration = try patient(
            PostgresConfiguration("host=\(cluster.directory) user=reader password=hunter2 dbname=postgres")
        )
        let error = await #expect(throws: PostgresError.self) { try await PostgresConnection.connect(configuration) }
        #expect(error?.code == .unavailable)
        #expect(error.map { String(reflecting: $0).contains("hunter2") } == false)
        try await refusesUntilMended(configuration) {
            try await self.refusals("password authentication failed", in: cluster, admin)
        } mend: {
            try await admin.query("alter role reader password 'hunter2'")
        }
        await cluster.stop()
    }

    /// 57P03: a server that shuts down slowly takes nobody any more, and neither does one that starts.
    @Test func aServerThatShutsDownIsUnavailableUntilItIsBack() async throws {
        let cluster = try await PrivateCluster.temporary()
        let text = cluster.connectionString(database: "postgres")
        let admin = try await PostgresConnection.connect(PostgresConfiguration(text))
        kill(try #require(cluster.processID), SIGTERM)
        try await eventually("it takes nobody") {
            await code { try await PostgresConnection.connect(PostgresConfiguration(text)) } == .unavailable
        }
        try await refusesUntilMended(try patient(PostgresConfiguration(text))) {
            try await self.refusals("is shutting down", in: cluster, admin)
        } mend: {
            await cluster.stop(keepingData: true)
            try await cluster.start()
        }
        await cluster.stop()
    }

    /// The socket is there and nobody answers: connecting has a time limit of its own.
    @Test func aServerThatIsStoppedIsUnavailableAndComesBack() async throws {
        let cluster = try await PrivateCluster.temporary()
        var configuration = try PostgresConfiguration(cluster.connectionString(database: "postgres"))
        configuration.connectTimeout = .milliseconds(200)
        kill(try #require(cluster.processID), SIGSTOP)
        try await withPool(configuration, limits: limits(size: 2)) { pool in
            try await eventually("it is down") { pool.status.state == .down }
            #expect(await code { try await pool.query("select 1") } == .unavailable)
            kill(try #require(cluster.processID), SIGCONT)
            try await eventually("it serves again") { (try? await pool.query("select 1")) != nil }
        }
        await cluster.stop()
    }

    @Test func withoutPostgresEverybodyIsRefusedAtOnceAndThePoolComesBackByItself() async throws {
        let cluster = try await PrivateCluster.temporary()
        let configuration = try patient(PostgresConfiguration(cluster.connectionString(database: "postgres")))
        try await withPool(configuration, limits: limits(size: 2)) { pool in
            #expect(try await pool.query("select 1").count == 1)
            await cluster.stop(keepingData: true)
            // Nobody asks: the idle connection's end and the failing probe are enough.
            try await eventually("it is down") { pool.status.state == .down }
            #expect(pool.status.open == 0)
            #expect(pool.status.lastError?.contains("connection to server") == true)
            let error = await #expect(throws: PostgresError.self) { try await pool.query("select 1") }
            #expect(error?.code == .unavailable)
            #expect(error?.isUnavailable == true)

            try await cluster.start()
            try await eventually("it is up again") { pool.status.state == .up }
            #expect(try await pool.query("select 1").count == 1)
            #expect(pool.status.lastError == nil)
        }
        await cluster.stop()
    }

    @Test func aRestartUnderLoadLosesNoAcknowledgedWrite() async throws {
        let cluster = try await PrivateCluster.temporary()
        let configuration = try patient(PostgresConfiguration(cluster.connectionString(database: "postgres")))
        try await withPool(configuration, limits: limits(size: 4)) { pool in
            try await pool.query("create table written (id int8 primary key)")
            let acknowledged = Shared<Set<Int>>([])
            let isOver = Shared(false)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<8 {
                    group.addTask {
                        var number = writer * 1_000_000
                        while !isOver.withLock({ $0 }) {
                            number += 1
                            do throws(PostgresError) {
                                try await pool.query("insert into written values (\(number))")
                                _ = acknowledged.withLock { $0.insert(number).inserted }
                            } catch {
                                try await Task.sleep(for: .milliseconds(5))
                            }
                        }
                    }
                }
                try await eventually("writes go on") { acknowledged.withLock { $0.count } > 100 }
                await cluster.stop(keepingData: true)
                try await cluster.start()
                let before = acknowledged.withLock { $0.count }
                try await eventually("writes go on again") { acknowledged.withLock { $0.count } > before + 100 }
                isOver.withLock { $0 = true }
                try await group.waitForAll()
            }
            let rows = try await pool.query("select id from written")
            let written = Set(try rows.map { row in try row[0, as: Int.self] })
            #expect(acknowledged.withLock { $0.subtracting(written) } == [])
        }
        await cluster.stop()
    }
}
