import Contract
import Postgres
import RPC
import Wire

/// The operations that keep an installation in order.
struct Maintenance: Sendable {
    let database: Database

    func add(to operations: inout Operations) {
        let schema = database.schema
        operations.on(ListMigrations.self) { _, call in
            let standings = try await Self.telling { try await schema.standings(deadline: call.deadline) }
            return ListMigrations.Result(migrations: standings.map(Self.standing))
        }
        operations.on(ApplyMigrations.self) { _, call in
            let applied = try await Self.telling { try await schema.apply(deadline: call.deadline) }
            return ApplyMigrations.Result(applied: applied.map(\.number))
        }
        operations.onJSON(Prune.self) { try await prune($0, $1) }
    }

    /// What the caller is told when it fails: which migration, never the server's own words.
    private static func telling<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch MigrationError.database(let error) {
            throw ServiceError(error)
        } catch MigrationError.failed(let number, let name, let error) {
            if error.isUnavailable { throw ServiceError(error) }
            throw ServiceError.failedPrecondition(
                "Migration \(number) (\(name)) failed and has changed nothing; the log of octavo-storage says why."
            )
        } catch let error as MigrationError {
            throw ServiceError.failedPrecondition(error.description)
        } catch let error as PostgresError {
            throw ServiceError(error)
        }
    }

    private static func standing(_ standing: MigrationStanding) -> ListMigrations.Standing {
        let migration = [Migration].octavo.first { $0.number == standing.number }
        let (state, applied): (ListMigrations.Standing.State, String?) =
            switch standing.state {
            case .applied(let at): (.applied, at)
            case .missing: (.missing, nil)
            case .edited: (.edited, nil)
            case .unknown: (.unknown, nil)
            case .misplaced: (.misplaced, nil)
            }
        return ListMigrations.Standing(
            number: standing.number,
            name: standing.name,
            state: state,
            applied: applied,
            problem: standing.error?.description,
            locks: migration?.locks.map { .init(line: $0.line, why: $0.why, excuse: $0.excuse) } ?? []
        )
    }

    private func prune(_ prune: Prune, _ call: CallContext) async throws -> JSON {
        // Whoever follows a run may come back to it for a week.
        guard (7...36_500).contains(prune.days) else {
            throw ServiceError.invalidArgument("days has to be from 7 to 36500.")
        }
        let part = prune.isDryRun ? Int(Int32.max) : Prune.part
        let counted = try await database.json(
            """
            with old_question as materialized (
                select id from question
                where asked_at < now() - make_interval(days => \(prune.days)::int) and not exists (
                    select from run where run.question_id = question.id and (
                        finished_at is null or finished_at >= now() - make_interval(days => \(prune.days)::int)))
                order by id limit \(part)
            ), old_run as materialized (
                select id from run where question_id in (select id from old_question)
            ), old_key as materialized (
                select key from intention where created_at < now() - make_interval(days => \(Prune.keyDays)::int)
                limit \(part)
            ), gone_question as (
                delete from question where not \(prune.isDryRun) and id in (select id from old_question)
            ), gone_key as (
                delete from intention where not \(prune.isDryRun) and key in (select key from old_key)
            ), gone_unique as (
                delete from run_unique where not \(prune.isDryRun) and key in (
                    select key from run_unique join run on run.id = run_unique.run_id
                    where run.state is not null and coalesce(until < now(), true) limit \(part))
                returning key
            ), gone_conversation as (
                delete from conversation where not \(prune.isDryRun) and id in (
                    select id from conversation
                    where created_at < now() - make_interval(days => \(prune.days)::int)
                        and not exists (select from turn where conversation_id = conversation.id)
                    limit \(part))
                returning id
            ), gone_message as (
                delete from outbox where not \(prune.isDryRun) and id in (
                    select id from outbox
                    where state = 'sent' and ended_at < now() - make_interval(days => \(Prune.keyDays)::int)
                        or state = 'dead' and ended_at < now() - make_interval(days => \(prune.days)::int)
                    limit \(part))
                returning id
            )
            select jsonb_build_object(
                'questions', questions, 'runs', (select count(*) from old_run),
                'events', (select count(*) from run_event where run_id in (select id from old_run)),
                'keys', keys, 'more', \(part) in (
                    questions, keys, (select count(*) from gone_unique), (select count(*) from gone_conversation),
                    (select count(*) from gone_message)))
            from (select count(*) as questions from old_question) as questions,
                (select count(*) as keys from old_key) as keys
            """,
            deadline: call.deadline
        )
        return counted ?? .emptyObject
    }
}
