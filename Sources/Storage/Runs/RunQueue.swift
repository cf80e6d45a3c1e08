import Contract
import NIOCore
import Postgres
import Synchronization
import Wire

/// Gives runs out. The queued runs of an agent and a priority stand in the order of their tickets.
///
/// Rows that were claimed leave entries behind in the index, and as long as anybody holds an old snapshot Postgres cannot
/// remove them: a queue read from its beginning would be read through everything that was ever in it. So it is read from a
/// *floor*, the ticket up to which nothing is left, which follows the claims within seconds whoever holds what.
final class RunQueue: Sendable {
    /// The most runs of one claim: a claim takes some tenths of a millisecond however many it brings.
    static let most = 64
    private static let priorities = 0...3
    /// How often it is looked whether tickets are given again, while nothing moves.
    private static let look = Duration.seconds(2)

    struct Name: Hashable {
        var agent: String
        var priority: Int
    }

    /// A moment, and the last ticket drawn by then.
    private struct Note {
        var ticket: Int64
        var at: String
    }

    private struct State {
        var floors: [Name: Int64] = [:]
        var note: Note?
        /// Whether anything was given out since the last note: else the floors are where they belong.
        var isMoving = true
        /// When the tickets were looked at last.
        var looked = ContinuousClock.now

        /// Tickets are given again: it is another database than before, a copy that has taken over or one that was brought back. What
        /// is queued in it from now on would stand below the floors.
        mutating func forget() {
            floors = floors.mapValues { _ in 0 }
            note = nil
            isMoving = true
        }
    }

    private let database: Database
    private let counts: RunCounts
    private let state = Mutex(State())

    init(database: Database, counts: RunCounts) {
        self.database = database
        self.counts = counts
    }

    /// What a claim brings.
    struct Claim {
        /// The leases, as `ClaimRuns.Item` writes them.
        var leases: [JSON]
        /// When to look again, where a limit or a hold keeps runs back.
        var again: Duration?
    }

    /// Leases runs to a runner.
    func claim(for runner: String, _ offers: [ClaimRuns.Offer], most: Int) async throws -> Claim {
        let statement = state.withLock { state in
            Self.statement(for: runner, offers, most: most) { name in
                let floor = state.floors[name] ?? 0
                state.floors[name] = floor
                return floor
            }
        }
        let rows = try await database.rows(statement, deadline: .now + .seconds(10))
        var claim = Claim(leases: [])
        for row in rows {
            if try row.isNull(0) {
                claim.again = .seconds(max(0.01, try row[1, as: Double.self]))
            } else {
                let lease = JSON(trusted: ByteBuffer(bytes: try row.bytes(0)))
                claim.leases.append(lease)
                if let waited = try row[2, as: Double?.self], let agent = lease.member("agent")?.string {
                    counts.pickedUp(agent, after: waited)
                }
            }
        }
        if !claim.leases.isEmpty { state.withLock { $0.isMoving = true } }
        return claim
    }

    /// A row a lease, with the time a run has waited for its first one, and perhaps one that says when to look again.
    static func statement(
        for runner: String,
        _ offers: [ClaimRuns.Offer],
        most: Int,
        floor: (Name) -> Int64 = { _ in 0 }
    ) -> Query {
        let queues = offers.flatMap { offer in
            priorities.map { (name: Name(agent: offer.agent, priority: $0), provider: offer.provider) }
        }
        return """
            select document, extract(epoch from again)::float8, extract(epoch from waited)::float8
            from octavo_claim(\(runner),
                \(queues.map(\.name.agent)), \(queues.map(\.name.priority))::integer[], \(queues.map(\.provider)),
                \(queues.map { floor($0.name) }), \(most)::integer)
            """
    }

    /// The queues that runners were ever given something of, and from where each is to be read.
    var floors: [Name: Int64] { state.withLock { $0.floors } }

    /// Moves the floors up, in two steps of which each call makes one: notes the last ticket, and once every transaction
    /// of that time is over, sees what of the tickets up to it is still there.
    func raiseFloors() async throws {
        let (note, floors) = state.withLock { ($0.note, $0.floors) }
        guard let note else { return try await takeNote() }
        // Names of queues that were ever read; new ones begin at 0.
        let queues = Array(floors)
        let results = try await database.transaction(
            [
                Database.byIndex,
                """
                select not exists (
                    select from pg_locks as held left join pg_stat_activity as holder using (pid)
                    where held.locktype = 'relation' and held.relation = 'run_work'::regclass
                        and held.database = (select oid from pg_database where datname = current_database())
                        and held.mode = 'RowExclusiveLock'
                        and coalesce(holder.xact_start <= \(note.at)::text::timestamptz, true)),
                    last_value >= \(note.ticket)
                from run_ticket
                """,
                """
                select (
                    select ticket from run_work
                    where state = 'queued' and run_work.agent = queue.agent and run_work.priority = queue.priority
                        and ticket > queue.floor
                    order by ticket limit 1)
                from unnest(\(queues.map(\.key.agent)), \(queues.map(\.key.priority)), \(queues.map(\.value)))
                    with ordinality as queue (agent, priority, floor, place)
                order by place
                """,
            ],
            deadline: .now + .seconds(5)
        )
        guard try results[1][0][1, as: Bool.self] else { return state.withLock { $0.forget() } }
        // A transaction of that time may still store a run with such a ticket.
        guard try results[1][0][0, as: Bool.self], let lowest = results.last else { return }
        let found = try zip(queues, lowest).map { queue, row in
            (queue.key, max(queue.value, min(note.ticket, (try row[0, as: Int64?.self] ?? .max) - 1)))
        }
        state.withLock { state in
            for (name, floor) in found { state.floors[name] = floor }
            state.note = nil
        }
    }

    private func takeNote() async throws {
        let now = ContinuousClock.now
        let (isMoving, looked) = state.withLock { ($0.isMoving, $0.looked) }
        guard isMoving || now - looked >= Self.look else { return }
        // First the ticket and then the time: whoever drew it before began before. A Postgres that crashes draws those again that no
        // commit has taken to the disk, so what is noted is taken there.
        let rows = try await database.rows(
            """
            with ticket as materialized (select case when is_called then last_value else 0 end as last from run_ticket)
            select last, clock_timestamp()::text,
                case when \(isMoving) then pg_logical_emit_message(true, 'octavo', '')::text end
            from ticket
            """,
            deadline: .now + .seconds(5)
        )
        guard let row = rows.first else { return }
        let note = Note(ticket: try row[0, as: Int64.self], at: try row[1, as: String.self])
        state.withLock { state in
            state.looked = now
            if state.floors.values.contains(where: { $0 > note.ticket }) { state.forget() }
            guard isMoving else { return }
            state.note = note
            state.isMoving = false
        }
    }
}
