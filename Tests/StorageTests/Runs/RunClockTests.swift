import OctavoTesting
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
}
