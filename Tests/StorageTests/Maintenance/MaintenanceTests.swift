import Contract
import OctavoTesting
import Postgres
import RPC
import Storage
import Testing
import Wire

/// The operations behind `octavo run`.
@Suite(.serialized) struct MaintenanceTests {
    private func withStorage(
        _ body: @Sendable @escaping (RPCClient, PostgresConnection) async throws -> Void
    ) async throws {
        try await TestStorage.run { storage in
            let connection = try await PostgresConnection.connect(PostgresConfiguration(storage.connectionString))
            try await body(storage.client, connection)
            await connection.close()
        }
    }

    @Test func noMigrationOfOursLocksATableWithoutAReason() {
        for migration in [Migration].octavo {
            #expect(migration.locks.filter { $0.excuse == nil }.isEmpty, "\(migration.name)")
        }
    }

    @Test func everyMigrationIsListedAndAnEditedOneStandsInTheWay() async throws {
        try await withStorage { storage, connection in
            let all = try await storage.perform(ListMigrations()).migrations
            #expect(all.map(\.number) == [Migration].octavo.map(\.number))
            #expect(all.allSatisfy { $0.state == .applied && $0.applied != nil && $0.problem == nil })
            let nothing = try await storage.perform(ApplyMigrations()).applied
            #expect(nothing.isEmpty)

            try await connection.query("update octavo_migration set checksum = 'x' where number = 2")
            let edited = try await storage.perform(ListMigrations()).migrations[1]
            #expect(edited.state == .edited && edited.problem?.contains("was edited") == true)
            do {
                _ = try await storage.perform(ApplyMigrations())
                Issue.record("it was applied")
            } catch let error as ServiceError {
                #expect(error.code == .failedPrecondition && error.message.contains("was edited"))
            }
            // The tables are as good as before.
            let books = try await storage.perform(ListBooks())
            #expect(books.books.isEmpty)
        }
    }

    private func makeQuestions(_ connection: PostgresConnection) async throws {
        // Old and ended, old and running, old with a run that ended yesterday, and new.
        try await connection.run(
            script: """
                insert into question (text, channel, asked_at)
                select 'q', 'http', now() - make_interval(days => age) from unnest(array[100, 100, 100, 1]) as age;
                insert into run (id, question_id, agent, model, state, attempt, events, finished_at)
                select gen_random_uuid(), id, 'a', 'm', case when id <> 2 then 'succeeded' end, 1, 2,
                    case id when 1 then now() - interval '99 days' when 2 then null else now() - interval '1 day' end
                from question;
                insert into run_event select run.id, number, '{}' from run, generate_series(1, 2) as number;
                insert into intention (key, digest, created_at)
                values ('old', '', now() - interval '8 days'), ('new', '', now());
                """
        )
    }

    @Test func onlyWhatIsOldAndOverIsPruned() async throws {
        try await withStorage { storage, connection in
            try await makeQuestions(connection)
            let counted = try await storage.perform(Prune(days: 90, isDryRun: true))
            let done = try await storage.perform(Prune(days: 90))
            #expect(counted == done)
            #expect([done.questions, done.runs, done.events, done.keys] == [1, 1, 2, 1] && !done.more)
            let left = try await connection.query(
                """
                select (select array_agg(id order by id) from question), (select count(*) from run_event),
                    (select array_agg(key) from intention)
                """
            )
            #expect(try left[0][0, as: [Int].self] == [2, 3, 4])
            #expect(try left[0][1, as: Int.self] == 6)
            #expect(try left[0][2, as: [String].self] == ["new"])
        }
    }

    @Test func muchIsPrunedInParts() async throws {
        try await withStorage { storage, connection in
            try await connection.query(
                """
                insert into question (text, channel, asked_at)
                select 'q', 'http', now() - interval '100 days' from generate_series(1, 2500)
                """
            )
            var counts: [Int] = []
            var part: Prune.Result
            repeat {
                part = try await storage.perform(Prune(days: 90))
                counts.append(part.questions)
            } while part.more
            #expect(counts == [1000, 1000, 500])
        }
    }

    @Test(arguments: [
        """
        insert into outbox (destination, kind, key, body, state, tries, ended_at)
        select 'w', 'webhook', n, '', 'sent', 1, now() - interval '1 year' from generate_series(1, 2500) as n
        """,
        """
        insert into conversation (id, agent, channel, created_at)
        select gen_random_uuid(), 'a', 'http', now() - interval '1 year' from generate_series(1, 2500)
        """,
        """
        with asked as (
            insert into question (text, channel) select 'q', 'http' from generate_series(1, 2500) returning id
        ), opened as (
            insert into run (id, question_id, agent, model, state, finished_at)
            select gen_random_uuid(), id, 'a', 'm', 'succeeded', now() from asked returning id
        )
        insert into run_unique (key, run_id, until_ended) select id, id, true from opened
        """,
    ])
    func whateverThereIsMuchOfIsPrunedToItsEnd(filling: String) async throws {
        try await withStorage { storage, connection in
            try await connection.run(script: filling)
            var calls = 1
            while try await storage.perform(Prune(days: 90)).more { calls += 1 }
            let left = try await connection.query(
                """
                select (select count(*) from outbox) + (select count(*) from conversation)
                    + (select count(*) from run_unique)
                """
            )
            #expect(try left[0][0, as: Int.self] == 0 && calls == 3)
        }
    }

    @Test(arguments: [6, -1, 36_501])
    func daysThatMakeNoSenseAreRefused(days: Int) async throws {
        try await withStorage { storage, _ in
            do {
                _ = try await storage.perform(Prune(days: days))
                Issue.record("it was done")
            } catch let error as ServiceError {
                #expect(error.code == .invalidArgument)
            }
        }
    }

    @Test func whereABookCameFromIsKept() async throws {
        try await withStorage { storage, _ in
            _ = try await storage.perform(BeginImport(title: "A", authors: ["Ada"], sources: ["/a", "/b"]))
            _ = try await storage.perform(BeginImport(title: "B", authors: []))
            let found = try await storage.perform(ListSources())
            #expect(found.books.map(\.title) == ["A"] && found.next == nil)
            #expect(found.books.first?.sources == ["/a", "/b"] && found.books.first?.authors == ["Ada"])
            for sources in [[""], Array(repeating: "/a", count: 17), [String(repeating: "a", count: 4097)]] {
                do {
                    _ = try await storage.perform(BeginImport(title: "A", authors: [], sources: sources))
                    Issue.record("it was taken")
                } catch let error as ServiceError {
                    #expect(error.code == .invalidArgument)
                }
            }
        }
    }
}
