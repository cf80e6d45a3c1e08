import Contract
import NIOCore
import Postgres
import RPC
import ServiceLifecycle
import Wire

/// What callers and runners write of runs all the time, of many runs at once.
struct RunWrites: Sendable {
    private let database: Database
    private let openings: Gathering<Acceptance.Opening, String>
    private let acceptances: Gathering<EnqueueRun, Bool?>
    private let appends: Gathering<Transitions.Write, Bool>
    private let ends: Gathering<Transitions.Write, Bool>

    init(database: Database) {
        self.database = database
        /// The one column of each row.
        func column<Item: Sendable, Value: PostgresDecodable & Sendable>(
            of statement: @escaping @Sendable ([Item]) -> Query,
            as type: Value.Type = Value.self
        ) -> Gathering<Item, Value> {
            Gathering(on: EventLoopExecutor(RPCEventLoop.shared.next())) { items in
                let rows = try await database.rows(statement(items), deadline: .now + .seconds(10))
                return try rows.map { row in .success(try row[0, as: Value.self]) }
            }
        }
        openings = column { Acceptance.open($0) }
        acceptances = column { Acceptance.enqueue($0) }
        appends = column { Transitions.append($0) }
        ends = column { Transitions.finish($0) }
    }

    /// Each carries itself out as long as the process lives.
    var services: [any Service] { [openings, acceptances, appends, ends] }

    /// Accepts a run for later; nil when something is to be looked at beside its id, so that it cannot be done with others.
    func enqueue(_ enqueue: EnqueueRun) async throws -> JSON? {
        guard enqueue.isPlain else { return nil }
        try Acceptance.check(enqueue)
        let isNew: Bool?
        do {
            isNew = try await accept(enqueue)
        } catch let error as ServiceError where error.code == .alreadyExists || error.code == .aborted {
            // The same run was accepted by another host between this one's look and its insert: now it is seen.
            isNew = try await accept(enqueue)
        }
        guard let isNew else { throw ServiceError(.alreadyExists, "The run belongs to another question.", retry: .no) }
        return try JSON(encoding: EnqueueRun.Result(run: enqueue.run, isNew: isNew))
    }

    /// Opens a run that a reader waits for. Errors: `already_exists`; `failed_precondition` when its runner was given up.
    func open(_ open: OpenRun, event: String) async throws -> JSON {
        let opening = Acceptance.Opening(open: open, event: event)
        let answer: String
        do {
            answer = try await perform(opening)
        } catch let error as ServiceError where error.code == .alreadyExists {
            // The same run was opened by another call between this one's look and its insert: now it is seen.
            answer = try await perform(opening)
        }
        switch answer {
        case "given up": throw ServiceError.givenUp
        case "another": throw ServiceError(.alreadyExists, "The run belongs to another question.", retry: .no)
        default: return JSON(trusted: answer)
        }
    }

    private func perform(_ opening: Acceptance.Opening) async throws -> String {
        try await database.gathered {
            try await openings.perform(opening, of: opening.open.run, weight: opening.open.question.text.utf8.count)
        }
    }

    private func accept(_ enqueue: EnqueueRun) async throws -> Bool? {
        try await database.gathered {
            try await acceptances.perform(enqueue, of: enqueue.run, weight: enqueue.question.text.utf8.count)
        }
    }

    /// Stores what the holder of a lease has to say. False when it holds it no longer.
    func store(_ write: Transitions.Write) async throws -> Bool {
        let writes = write.outcome == nil ? appends : ends
        return try await database.gathered {
            try await writes.perform(write, of: write.run, weight: write.events.utf8.count + write.ended.utf8.count)
        }
    }
}
