import Contract
import FoundationEssentials
import OctavoTesting
import Postgres
import Testing
import Wire

@testable import Storage

/// What is read for what is written: with plans that were made while the tables held nothing, which stay.
@Suite(.serialized) struct RunPlanTests {
    private let question = Question(text: "How?", channel: .http)

    private func enqueue(_ count: Int, _ connection: PostgresConnection) async throws {
        let runs = (0..<count).map { _ in EnqueueRun(run: .new(), agent: "echo", question: question) }
        try await connection.query(Acceptance.enqueue(runs.sorted { $0.run < $1.run }))
    }

    private func claim(_ connection: PostgresConnection) async throws -> [ClaimRuns.Lease] {
        let statement = RunQueue.statement(for: "a", [.init(agent: "echo", provider: "p")], most: 50)
        return try await connection.query(statement).map { row in
            try JSON(trusted: row[0, as: String.self]).decode(ClaimRuns.Lease.self)
        }
    }

    /// Claims 50, and has them say something and end.
    private func carryOut(_ connection: PostgresConnection) async throws {
        let leases = try await claim(connection).sorted { $0.run < $1.run }
        for outcome in [nil, Outcome(state: .succeeded, answer: "So.", model: "m")] {
            let writes = try leases.map { lease in
                let number = lease.next + (outcome == nil ? 0 : 1)
                let body = outcome.map { RunEvent.Body.finished($0) } ?? .text("So.")
                return Transitions.Write(
                    run: lease.run,
                    lease: .init(runner: "a", attempt: lease.attempt),
                    numbers: number...number,
                    events: try JSON(encoding: [RunEvent(sequence: number, at: "", body: body)]).description,
                    outcome: outcome
                )
            }
            let rows = try await connection.query(
                outcome == nil ? Transitions.append(writes) : Transitions.finish(writes)
            )
            for row in rows { #expect(try row[0, as: Bool.self]) }
        }
    }

    @Test func whatFiftyRunsReadDoesNotGrowWithTheQueue() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(TestDatabase.make()))
        try await connection.query("insert into runner values ('a', 1, 'infinity')")
        try await connection.query("vacuum analyze run_work")
        for _ in 0..<6 {
            try await enqueue(1, connection)
            try await carryOut(connection)
        }
        try await connection.query("vacuum analyze run_work")
        try await carryOut(connection)
        for _ in 0..<40 { try await enqueue(50, connection) }
        // What is counted from here on is that of one transaction.
        try await connection.query("select pg_stat_force_next_flush()")

        try await connection.query("begin")
        try await enqueue(50, connection)
        try await carryOut(connection)
        let read = try await connection.query(
            """
            select relname::text, (seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint from pg_stat_xact_user_tables
            where relname in ('run', 'run_work', 'run_event', 'question')
            """
        )
        for row in read {
            let (table, rows) = (try row[0, as: String.self], try row[1, as: Int.self])
            #expect(rows < 1_000, "\(table)")
        }
        #expect(read.count >= 3)
        try await connection.query("rollback")
        await connection.close()
    }

    @Test(arguments: [RunState.cancelled, .queued])
    func whoAsksForTheFewOfAStateDoesNotReadTheRecord(state: RunState) async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(TestDatabase.make()))
        try await enqueue(3, connection)
        // Newer than those, all of them.
        try await connection.run(
            script: """
                update run set state = 'cancelled' where id = (select id from run order by id limit 1);
                delete from run_work where run_id in (select id from run where state = 'cancelled');
                insert into question (text, channel) select 'q', 'http' from generate_series(1, 5000);
                insert into run (id, question_id, agent, model, state)
                select ('ffffffff' || substr(gen_random_uuid()::text, 9))::uuid, id, 'a', 'm', 'succeeded'
                from question where text = 'q';
                analyze run, run_work, question; select pg_stat_force_next_flush();
                """
        )
        try await connection.query("begin")
        let rows = try await connection.query(Runs.listing(ListRuns(state: state)))
        let listed = try JSON(trusted: rows[0][0, as: String.self]).decode(ListRuns.Result.self).runs
        #expect(listed.count == (state == .queued ? 2 : 1) && listed.allSatisfy { $0.state == state })
        let read = try await connection.query(
            """
            select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::bigint from pg_stat_xact_user_tables
            where relname = 'run'
            """
        )
        #expect(try read[0][0, as: Int.self] < 100)
        try await connection.query("rollback")
        await connection.close()
    }

    /// A plan that may not read a table to its end looks dear where the table is empty: it would be compiled each time.
    @Test func noPlanIsCompiledByWhatIsCarriedOutForEachRun() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(TestDatabase.make()))
        let named = try await connection.query(
            """
            select proname, proconfig @> array['jit=off'] from pg_proc
            where proname like 'octavo%' and proconfig @> array['enable_seqscan=off']
            """
        )
        #expect(named.count >= 5)
        for function in named {
            let name = try function[0, as: String.self]
            #expect(try function[1, as: Bool.self], "\(name): set jit = off")
        }
    }
}
