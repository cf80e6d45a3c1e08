import PrivateCluster
import Testing

@testable import Postgres

/// A connection that is lost while it commits.
@Suite(.serialized, .timeLimit(.minutes(5))) struct CommitFaultTests {
    /// A database whose commits wait for the lock 1 wherever something was inserted into `slow`.
    /// The server does not notice when this side drops the connection, and goes on to commit.
    private func newSlowDatabase() async throws -> PostgresConfiguration {
        var configuration = try await newDatabase()
        configuration.settings["client_connection_check_interval"] = "0"
        let connection = try await PostgresConnection.connect(configuration)
        try await connection.run(
            script: """
                create table slow (id int8);
                create function wait() returns trigger language plpgsql as $$
                    begin perform pg_advisory_xact_lock(1); return null; end
                $$;
                create constraint trigger wait after insert on slow deferrable initially deferred
                    for each row execute function wait();
                """
        )
        return configuration
    }

    /// The acknowledgement is lost on the way: this side drops the connection, and the server commits all the same.
    @Test func aLostCommitAcknowledgementIsAnUnknownOutcomeThatCanBeFoundOut() async throws {
        let configuration = try await newSlowDatabase()
        let holder = try await PostgresConnection.connect(configuration)
        let connection = try await PostgresConnection.connect(configuration)
        try await holder.query("select pg_advisory_lock(1)")
        let task = Task {
            await #expect(throws: PostgresError.self) {
                try await connection.withTransaction(isTracked: true) {
                    try await $0.query("insert into slow values (1)")
                }
            }
        }
        try await eventually("it commits") { try await isLockAwaited(holder) }
        await connection.close()
        let error = await task.value
        #expect(error?.code == .outcomeUnknown)
        let transaction = try #require(error?.transaction)
        // "In progress" is no promise that it will not commit.
        #expect(try await holder.outcome(of: transaction) == nil)
        try await holder.query("select pg_advisory_unlock(1)")
        try await withPool(configuration) { pool in
            let outcome = await pool.outcome(of: transaction, deadline: .now + .seconds(240))
            #expect(outcome == .committed)
            let rows = try await pool.query("select from slow")
            #expect(rows.count == 1)
        }
    }

    /// Whatever the outcome is, the pool says what it was and does not guess.
    @Test(arguments: [true, false]) func aTrackedTransactionIsResolvedByThePool(isKilled: Bool) async throws {
        let configuration = try await newSlowDatabase()
        let holder = try await PostgresConnection.connect(configuration)
        try await holder.query("select pg_advisory_lock(1)")
        try await withPool(configuration) { pool in
            let lent = Shared<PostgresConnection?>(nil)
            let task = Task {
                try await pool.withTransaction(isTracked: true, deadline: .now + .seconds(240)) { connection in
                    lent.withLock { $0 = connection }
                    try await connection.query("insert into slow values (1)")
                    return 7
                }
            }
            try await eventually("it commits") { try await isLockAwaited(holder) }
            if isKilled {
                // It will never commit.
                let backend = try #require(await lent.withLock { $0 }?.backendID)
                try await holder.query("select pg_terminate_backend(\(backend), 60000)")
            } else {
                await lent.withLock { $0 }?.close()
            }
            try await holder.query("select pg_advisory_unlock(1)")
            if isKilled {
                #expect(await code { try await task.value } == .connectionLost)
            } else {
                #expect(try await task.value == 7)
            }
            let rows = try await pool.query("select from slow")
            #expect(rows.isEmpty == isKilled)
        }
    }

    @Test func aTransactionThatNobodyTracksHasNoNumber() async throws {
        let connection = try await newConnection()
        try await connection.withTransaction { connection in
            try await connection.query("select 1")
            #expect(await connection.transactionID == nil)
        }
    }
}
