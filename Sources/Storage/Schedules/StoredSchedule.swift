import Contract
import Postgres
import Wire

/// A schedule as it is stored, with what is needed to fire it.
struct StoredSchedule: Sendable {
    let id: Int64
    let name: String
    let cron: String
    let zone: String
    private let agent: String
    private let question: String
    private let priority: Int
    private let tries: Int
    private let deadlineMilliseconds: Int?
    let catchUp: Schedule.CatchUp
    let catchUpMost: Int
    /// Its next tick.
    let next: Int64
    /// The time by Postgres, whose clock counts for every host.
    let now: Int64

    static let columns = """
        id, name, cron, zone, agent, question, priority::integer, tries, deadline_ms, catch_up, catch_up_most,
        extract(epoch from next_at)::bigint, floor(extract(epoch from clock_timestamp()))::bigint
        """

    init(_ row: Row) throws {
        id = try row[0, as: Int64.self]
        name = try row[1, as: String.self]
        cron = try row[2, as: String.self]
        zone = try row[3, as: String.self]
        agent = try row[4, as: String.self]
        question = try row[5, as: String.self]
        priority = Int(try row[6, as: Int32.self])
        tries = Int(try row[7, as: Int32.self])
        deadlineMilliseconds = try row[8, as: Int64?.self].map(Int.init)
        catchUp = Schedule.CatchUp(rawValue: try row[9, as: String.self]) ?? .none
        catchUpMost = Int(try row[10, as: Int32.self])
        next = try row[11, as: Int64.self]
        now = try row[12, as: Int64.self]
    }

    /// A run of it. The runs of a schedule go one after the other, so that one that takes long is not overtaken.
    /// - Parameter trace: what has begun it.
    func enqueue(_ run: RunID = .new(), trace: TraceParent?) -> EnqueueRun {
        var enqueue = EnqueueRun(run: run, agent: agent, question: Question(text: question, channel: .schedule))
        enqueue.priority = priority
        enqueue.tries = tries
        enqueue.deadlineMilliseconds = deadlineMilliseconds
        enqueue.lane = "schedule \(name)"
        enqueue.traceparent = trace?.description
        return enqueue
    }
}
