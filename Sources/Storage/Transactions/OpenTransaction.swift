import Postgres
import Synchronization
import Wire

/// A transaction that is open for the calls within it. The call that opened it waits for its end here; the connection
/// stays with that call, which gives it back only when nobody else uses it any more.
final class OpenTransaction: Sendable {
    /// How its caller wants it to end.
    enum Ending: Sendable {
        case commit(result: JSON?)
        case rollBack
    }

    private struct State {
        var calls = 0
        var lastUse = ContinuousClock.now
        var savepoints = 0
        /// No further calls: its end was asked for, or has come by itself.
        var isClosed = false
        var ending: Ending?
        /// The call that opened it, waiting until nobody uses it any more.
        var owner: CheckedContinuation<Void, Never>?
        var outcome: Result<Void, ServiceError>?
        /// Tells whoever waits for what was done in it, once it is over.
        var afterwards: [@Sendable () -> Void] = []
        /// The one that asked for the end.
        var asking: CheckedContinuation<Result<Void, ServiceError>, Never>?
    }

    private let connection: PostgresConnection
    private let state = Mutex(State())
    private static let over = ServiceError.failedPrecondition("The transaction is over.")

    init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    // MARK: For the calls within

    /// Uses its connection; several may at once.
    func use<Value: Sendable>(_ body: (PostgresConnection) async throws -> Value) async throws -> Value {
        let isOpen = state.withLock { state in
            if !state.isClosed { state.calls += 1 }
            return !state.isClosed
        }
        guard isOpen else { throw Self.over }
        defer { leave() }
        return try await body(connection)
    }

    private func leave() {
        let owner = state.withLock { state in
            state.calls -= 1
            state.lastUse = .now
            return Self.ownerToWake(&state)
        }
        owner?.resume()
    }

    /// Has somebody told of a call within when it is over. They look then, so one that was rolled back does no harm.
    func afterwards(_ tell: @escaping @Sendable () -> Void) {
        state.withLock { $0.afterwards.append(tell) }
    }

    /// Counts a savepoint that is about to be set.
    func setSavepoint(_ number: Int, deepest: Int) throws(ServiceError) {
        let isNext = state.withLock { state in
            guard number == state.savepoints + 1, number <= deepest else { return false }
            state.savepoints = number
            return true
        }
        guard isNext else {
            throw .failedPrecondition("Savepoints are set one in another, counted from 1 to \(deepest).")
        }
    }

    /// A savepoint is about to end, and those within it.
    func endSavepoint(_ number: Int) throws(ServiceError) {
        let isSet = state.withLock { state in
            guard (1...max(1, state.savepoints)).contains(number), state.savepoints > 0 else { return false }
            state.savepoints = number - 1
            return true
        }
        guard isSet else { throw .failedPrecondition("There is no savepoint \(number).") }
    }

    /// Asks for the end, and returns when it has come.
    func end(_ ending: Ending) async throws(ServiceError) {
        let outcome = await withCheckedContinuation { asking in
            let (answer, owner) = state.withLock {
                state -> (Result<Void, ServiceError>?, CheckedContinuation<Void, Never>?) in
                if let outcome = state.outcome { return (outcome, nil) }
                guard !state.isClosed else { return (.failure(Self.over), nil) }
                state.isClosed = true
                state.ending = ending
                state.asking = asking
                return (nil, Self.ownerToWake(&state))
            }
            if let answer { asking.resume(returning: answer) }
            owner?.resume()
        }
        try outcome.get()
    }

    // MARK: For the call that opened it

    /// Waits until its end was asked for and the calls under way are answered.
    /// - Parameter idle: how long nothing may happen before it is ended from here.
    func ending(idle: Duration) async throws -> Ending {
        try await withThrowingTaskGroup(of: Ending?.self) { group in
            group.addTask { await self.closed() }
            group.addTask {
                var wait = idle
                repeat {
                    try await Task.sleep(for: wait)
                    wait = self.remaining(of: idle)
                } while wait > .zero
                throw ServiceError.deadlineExceeded(
                    "Nothing happened in the transaction for \(idle): it was rolled back.",
                    retry: .safe
                )
            }
            defer { group.cancelAll() }
            guard let ending = try await group.next() ?? nil else { throw CancellationError() }
            return ending
        }
    }

    /// No further calls; returns when nobody uses the connection any more.
    func close() async {
        await withCheckedContinuation { owner in
            let isFree = state.withLock { state in
                state.isClosed = true
                if state.calls > 0 { state.owner = owner }
                return state.calls == 0
            }
            if isFree { owner.resume() }
        }
    }

    /// It has ended; whoever asked for that is told how.
    func ended(_ outcome: Result<Void, ServiceError>) {
        let (asking, afterwards) = state.withLock { state in
            state.isClosed = true
            state.outcome = outcome
            defer { state.afterwards = [] }
            return (state.asking.take(), state.afterwards)
        }
        if case .success = outcome { for tell in afterwards { tell() } }
        asking?.resume(returning: outcome)
    }

    /// The ending that was asked for; nil when the task was cancelled before.
    private func closed() async -> Ending? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { owner in
                let isEnding = state.withLock { state in
                    if state.ending != nil && state.calls == 0 || Task.isCancelled { return true }
                    state.owner = owner
                    return false
                }
                if isEnding { owner.resume() }
            }
        } onCancel: {
            state.withLock { $0.owner.take() }?.resume()
        }
        return state.withLock { $0.ending }
    }

    private func remaining(of idle: Duration) -> Duration {
        state.withLock { $0.calls > 0 ? idle : idle - $0.lastUse.duration(to: .now) }
    }

    private static func ownerToWake(_ state: inout State) -> CheckedContinuation<Void, Never>? {
        state.isClosed && state.calls == 0 ? state.owner.take() : nil
    }
}
