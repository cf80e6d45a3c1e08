import OctavoTesting
import Postgres
import Testing

@testable import Storage

/// What happens to runs because of the time, when much of it has passed.
@Suite(.serialized) struct RunClockTests {
    @Test func whatFellDueWhileNobodyWasThereFallsDueAtOnceHoweverMuchItIs() async throws {
        let database = try await TestDatabase.make()
        try await sql(
            database,
            """
            insert into run_work (run_id, agent, state, priority, tries, ready_at)
            select gen_random_uuid(), 'echo', 'scheduled', 1, 5, now() - interval '1 hour' from generate_series(1, 1200)
            """
        )
        try await StorageHost.run(database: database) { _ in
            try await eventually {
                try await values(database, "select count(*) from run_work where state = 'queued'") == [1_200]
            }
        }
    }

    @Test func startsAreForgottenThatNoLimitCounts() async throws {
        let database = try await TestDatabase.make()
        try await sql(
            database,
            """
            insert into agent_limit (agent, starts, per) values ('limited', 3, interval '1 hour');
            insert into agent_limit (agent, concurrent) values ('free', 1);
            insert into agent_start
            select agent, now() - ago, 1 from unnest(array['limited', 'free', 'unknown']) as agent,
                unnest(array[interval '1 minute', interval '2 hours']) as ago;
            \(Transitions.forgetStarts.sql)
            """
        )
        let kept = try await values(database, "select count(*) from agent_start where agent = 'limited'")
        let all = try await values(database, "select count(*) from agent_start")
        #expect(kept == [1] && all == [1])
    }
}
