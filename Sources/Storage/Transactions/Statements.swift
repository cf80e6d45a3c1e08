import Contract
import NIOCore
import Postgres
import RPC
import Wire

/// The operations that are one statement each, whose one value is the answer and whose refusals are raised in SQL. So
/// they can be part of a batch, where nothing of ours runs between the statements and the commit.
struct Statements: Sendable {
    private struct Entry: Sendable {
        let callers: Set<Role>
        let query: @Sendable (JSON, CallContext) throws -> Query
        /// Tells whoever waits for what was done; it was committed.
        let afterwards: @Sendable (JSON) -> Void
    }

    /// Puts the trace into an operation that names one: given what it says, the function has what counts.
    typealias Tracing<O> = @Sendable (inout O, (String?) -> String) -> Void

    let database: Database
    private var entries: [String: Entry] = [:]

    init(database: Database) {
        self.database = database
    }

    /// Adds an operation to this table and to the service's.
    /// - Parameters:
    ///   - trace: where the operation names the trace that what it accepts belongs to: left out, or malformed, it is the call's.
    ///   - mayRace: it is run again when it has lost a race, as a batch is.
    ///   - byItself: another way for a call that is part of nothing and has no key; nil says that this is not one for it.
    mutating func on<O: Operation>(
        _ operation: O.Type,
        trace: Tracing<O>? = nil,
        isReadOnly: Bool = false,
        mayRace: Bool = false,
        byItself: (@Sendable (O) async throws -> JSON?)? = nil,
        to operations: inout Operations,
        _ query: @Sendable @escaping (O) throws -> Query,
        afterwards: (@Sendable (O) -> Void)? = nil
    ) {
        let database = database
        operations.onJSON(operation) { given, call in
            let arguments = call.naming(trace, in: given)
            if let afterwards, let scope = call.within {
                try await scope.value(as: OpenTransaction.self).afterwards { afterwards(arguments) }
            }
            defer { if call.within == nil { afterwards?(arguments) } }
            if let byItself, call.within == nil, Intention(call) == nil, let answer = try await byItself(arguments) {
                return answer
            }
            let query = try query(arguments)
            guard let intention = Intention(call), call.within == nil, !isReadOnly else {
                if call.within == nil, mayRace {
                    return try await database.batch([query], deadline: call.deadline).first ?? .emptyObject
                }
                return try await database.json(query, isReadOnly: isReadOnly, call) ?? .emptyObject
            }
            return try await database.once(intention, [query], deadline: call.deadline) { results in
                results.first ?? .emptyObject
            }
        }
        operations.allowWithin(operation)
        operations.runOnEventLoop(operation)
        entries[O.name] = Entry(callers: O.callers) { arguments, call in
            try query(call.naming(trace, in: arguments.decodeArguments(of: O.self)))
        } afterwards: { arguments in
            if let afterwards, let operation: O = try? arguments.decodeArguments(of: O.self) { afterwards(operation) }
        }
    }

    /// Adds an operation that reads by a key, in two forms: the statement as part of a transaction, and the one that shares
    /// its way to Postgres with other callers' reads, which finds nothing where the other one raises an error.
    mutating func on<O: Operation>(
        _ operation: O.Type,
        to operations: inout Operations,
        missing: String,
        shared: @Sendable @escaping (O) -> Query,
        _ query: @Sendable @escaping (O) -> Query
    ) {
        let database = database
        operations.onJSON(operation) { arguments, call in
            guard call.within == nil else {
                return try await database.json(query(arguments), isReadOnly: true, call) ?? .emptyObject
            }
            guard let found = try await database.json(shared(arguments), isReadOnly: true, call) else {
                throw ServiceError.notFound(missing)
            }
            return found
        }
        operations.allowWithin(operation)
        operations.runOnEventLoop(operation)
        // It reads: there is nothing to tell anybody.
        entries[O.name] = Entry(
            callers: O.callers,
            query: { arguments, _ in query(try arguments.decodeArguments(of: O.self)) },
            afterwards: { _ in }
        )
    }

    /// Adds the operation that carries out several of these at once.
    func addBatch(to operations: inout Operations) {
        let statements = self
        operations.onJSON(RunBatch.self) { try await statements.run($0, $1) }
        operations.allowWithin(RunBatch.self)
        operations.runOnEventLoop(RunBatch.self)
    }

    private func run(_ batch: RunBatch, _ call: CallContext) async throws -> JSON {
        guard (1...RunBatch.maximumOperations).contains(batch.operations.count) else {
            throw ServiceError.invalidArgument("A batch has 1 to \(RunBatch.maximumOperations) operations.")
        }
        let queries = try batch.operations.enumerated().map { try query(for: $1, at: $0, call) }
        defer {
            if call.within == nil {
                for operation in batch.operations { entries[operation.call]?.afterwards(operation.arguments) }
            }
        }
        let answer = { @Sendable (results: [JSON]) in
            JSON(object: ["results": JSON(array: results)])
        }
        guard call.within == nil else { return answer(try await database.documents(queries, call)) }
        guard let intention = Intention(call) else {
            return answer(try await database.batch(queries, deadline: call.deadline))
        }
        return try await database.once(intention, queries, deadline: call.deadline, answer: answer)
    }

    private func query(for operation: RunBatch.Entry, at place: Int, _ call: CallContext) throws -> Query {
        do {
            guard let entry = entries[operation.call] else {
                throw ServiceError.invalidArgument("\(operation.call) cannot be part of a batch.")
            }
            guard entry.callers.contains(call.role) else {
                throw ServiceError.permissionDenied("\(operation.call) is not for \(call.role.rawValue).")
            }
            return try entry.query(operation.arguments, call)
        } catch var error as ServiceError {
            error.details = JSON(trusted: #"{"operation":\#(place)}"#)
            throw error
        }
    }
}

extension CallContext {
    /// The trace of what is accepted by this call.
    /// - Parameter named: what its caller says of it.
    func trace(or named: String?) -> String { "\(named.flatMap(TraceParent.init) ?? traceparent)" }

    fileprivate func naming<O>(_ trace: Statements.Tracing<O>?, in operation: O) -> O {
        guard let trace else { return operation }
        var operation = operation
        trace(&operation) { self.trace(or: $0) }
        return operation
    }
}

extension Database {
    /// Statements known beforehand, in one round trip; again when they lost a race with another transaction.
    func batch(_ queries: [Query], deadline: ContinuousClock.Instant) async throws -> [JSON] {
        try await racing(until: deadline) {
            try Self.documents(try await transaction(queries, deadline: deadline))
        }
    }

    /// Statements known beforehand, as part of the transaction that the call is within.
    func documents(_ queries: [Query], _ call: CallContext) async throws -> [JSON] {
        try Self.documents(try await transaction(queries, call))
    }

    /// As `batch`, once for all calls of the same intention: what it answers is kept for the others.
    func once(
        _ intention: Intention,
        _ queries: [Query],
        deadline: ContinuousClock.Instant,
        answer: @Sendable ([JSON]) -> JSON
    ) async throws -> JSON {
        do {
            return try await racing(until: deadline) {
                try await withTransaction(isolation: .readCommitted, isReadOnly: false, deadline: deadline) {
                    connection in
                    let rows = try await connection.transaction([intention.claim] + queries, deadline: deadline)
                    let answer = answer(try Self.documents(Array(rows.dropFirst())))
                    try await connection.query(intention.store(answer), deadline: deadline)
                    return answer
                }
            }
        } catch let error as ServiceError where error.isCarriedOut {
            return try await earlierResult(intention, deadline: deadline) ?? .emptyObject
        } catch let error as ServiceError where error.code == .outcomeUnknown {
            // The key tells: a second try waits for the first to end, and does nothing if that was committed.
            return try await once(intention, queries, deadline: deadline, answer: answer)
        }
    }

    /// Repeats what loses races, after 5 ms to 1 s, growing and random, so that those who raced do not meet again.
    func racing<Value: Sendable>(
        until deadline: ContinuousClock.Instant,
        _ body: () async throws -> Value
    ) async throws -> Value {
        var pause = 10
        while true {
            do {
                return try await body()
            } catch let error as ServiceError where error.code == .aborted {
                let wait = Duration.milliseconds(Int.random(in: pause / 2...pause))
                guard .now + wait < deadline else { throw error }
                try await Task.sleep(for: wait)
                pause = min(1_000, pause * 2)
            }
        }
    }

    private static func documents(_ results: [Rows]) throws -> [JSON] {
        try results.map { try document($0) ?? .null }
    }
}
