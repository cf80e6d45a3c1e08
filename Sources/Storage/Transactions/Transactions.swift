import Contract
import Postgres
import RPC
import Wire

/// The operations on transactions that are open between calls (`protocol/storage.md`).
struct Transactions: Sendable {
    let database: Database

    func add(to operations: inout Operations) {
        operations.onScope(BeginTransaction.self) { try await begin($0, $1, $2) }
        operations.on(CommitTransaction.self) { commit, call in
            try await open(call).end(.commit(result: call.arguments.member("result")))
            return Done()
        }
        operations.on(RollBackTransaction.self) { _, call in
            try await open(call).end(.rollBack)
            return Done()
        }
        operations.on(SetSavepoint.self) { set, call in
            let transaction = try await open(call)
            try transaction.setSavepoint(set.savepoint, deepest: SetSavepoint.deepest)
            do {
                return try await run(["savepoint \(unsafe: name(set.savepoint))"], call)
            } catch {
                // Not set: what is wrong with the transaction is to be heard by the next call, and not that it miscounts.
                try? transaction.endSavepoint(set.savepoint)
                throw error
            }
        }
        operations.on(ReleaseSavepoint.self) { release, call in
            try await open(call).endSavepoint(release.savepoint)
            return try await run(["release \(unsafe: name(release.savepoint))"], call)
        }
        operations.on(RollBackToSavepoint.self) { back, call in
            try await open(call).endSavepoint(back.savepoint)
            let name = name(back.savepoint)
            return try await run(["rollback to \(unsafe: name)", "release \(unsafe: name)"], call)
        }
        operations.allowWithin(CommitTransaction.self)
        operations.allowWithin(RollBackTransaction.self)
        operations.allowWithin(SetSavepoint.self)
        operations.allowWithin(ReleaseSavepoint.self)
        operations.allowWithin(RollBackToSavepoint.self)
    }

    private func begin(
        _ begin: BeginTransaction,
        _ call: CallContext,
        _ items: ItemWriter<BeginTransaction.Item>
    ) async throws -> Done {
        guard (1...BeginTransaction.longestIdleMilliseconds).contains(begin.idleMilliseconds) else {
            throw ServiceError.invalidArgument(
                "idle_ms has to be from 1 to \(BeginTransaction.longestIdleMilliseconds)."
            )
        }
        let intention = Intention(call)
        do {
            try await carryOut(begin, intention, call, items)
        } catch let error as ServiceError where error.isCarriedOut {
            guard let intention else { throw error }
            let result = try await database.earlierResult(intention, deadline: call.deadline)
            try await items.send(.init(.committed, result: result))
        }
        return Done()
    }

    private func carryOut(
        _ begin: BeginTransaction,
        _ intention: Intention?,
        _ call: CallContext,
        _ items: ItemWriter<BeginTransaction.Item>
    ) async throws {
        var transaction: OpenTransaction?
        do {
            try await database.withTransaction(
                isolation: Isolation(begin.isolation),
                isReadOnly: begin.isReadOnly,
                deadline: call.deadline
            ) { connection in
                let open = OpenTransaction(connection)
                transaction = open
                // Before anything is sent, so that the first calls within travel with the BEGIN.
                call.scope?.open(open)
                do {
                    if let intention { try await connection.query(intention.claim, deadline: call.deadline) }
                    try await items.send(.init(.open))
                    try await end(open, idle: .milliseconds(begin.idleMilliseconds), intention, connection)
                } catch {
                    // The connection goes back to the pool: nobody may use it any more.
                    await open.close()
                    throw error
                }
            }
            transaction?.ended(.success(()))
        } catch is RolledBack {
            transaction?.ended(.success(()))
        } catch {
            transaction?.ended(.failure(ServiceError(thrown: error)))
            throw error
        }
    }

    /// Waits for the end that is asked for, and prepares it.
    private func end(
        _ open: OpenTransaction,
        idle: Duration,
        _ intention: Intention?,
        _ connection: PostgresConnection
    ) async throws {
        switch try await open.ending(idle: idle) {
        case .commit(let result):
            if let intention, let result, result != .null { try await connection.query(intention.store(result)) }
        case .rollBack: throw RolledBack()
        }
    }

    private func open(_ call: CallContext) async throws -> OpenTransaction {
        guard let scope = call.within else {
            throw ServiceError.invalidArgument("\(call.operation) is called within a transaction.")
        }
        return try await scope.value(as: OpenTransaction.self)
    }

    private func run(_ statements: [Query], _ call: CallContext) async throws -> Done {
        guard let scope = call.within else { return Done() }
        return try await database.within(scope) { connection in
            for statement in statements { try await connection.query(statement, deadline: call.deadline) }
            return Done()
        }
    }

    private func name(_ savepoint: Int) -> String { "savepoint_\(savepoint)" }
}

/// Leaves a transaction whose caller wants none of it.
private struct RolledBack: Error {}

extension ServiceError {
    fileprivate init(thrown error: any Error) {
        switch error {
        case let error as ServiceError: self = error
        case is CancellationError: self = .cancelled("The transaction was given up.")
        default: self = .internal("The transaction failed by a defect.")
        }
    }
}

extension Isolation {
    init(_ isolation: BeginTransaction.Isolation) {
        switch isolation {
        case .readCommitted: self = .readCommitted
        case .repeatableRead: self = .repeatableRead
        case .serializable: self = .serializable
        }
    }
}
