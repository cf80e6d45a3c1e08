internal import Synchronization
public import Wire

/// What a call opens for further calls within it (`protocol/README.md`, section 4.9): a value that lasts as long as the
/// call is in flight, such as an open transaction.
public final class CallScope: Sendable {
    private typealias Waiter = CheckedContinuation<Result<any Sendable, ServiceError>, Never>

    private enum State {
        /// Calls that came right behind the one that opens it.
        case opening([ObjectIdentifier: Waiter])
        case open(any Sendable)
        case ended
    }

    private let state = Mutex(State.opening([:]))
    private static let ended = ServiceError.failedPrecondition("The scope has ended.")

    init() {}

    /// Opens the scope: calls within it are answered from now on. Once; later ones are passed over.
    public func open(_ value: any Sendable) {
        leave(for: .open(value), answering: .success(value))
    }

    /// The call that opened it is over.
    func end() {
        leave(for: .ended, answering: .failure(Self.ended))
    }

    private func leave(for next: State, answering answer: Result<any Sendable, ServiceError>) {
        let waiting = state.withLock { state -> [Waiter] in
            defer { if case .ended = state {} else { state = next } }
            return if case .opening(let waiting) = state { Array(waiting.values) } else { [] }
        }
        for continuation in waiting { continuation.resume(returning: answer) }
    }

    /// What was opened; waits while the call that opens it is still about to.
    /// - Throws: `failed_precondition` when the scope has ended, `cancelled`.
    public func value<T>(as type: T.Type) async throws(ServiceError) -> T {
        let ticket = Ticket()
        let found = await withTaskCancellationHandler {
            await withCheckedContinuation { wait($0, ticket) }
        } onCancel: {
            ticket.withdraw()
            withdraw(ticket)
        }
        guard let value = try found.get() as? T else {
            throw .failedPrecondition("The call it belongs to opens nothing of this kind.")
        }
        return value
    }

    private func wait(_ continuation: Waiter, _ ticket: Ticket) {
        let answer: Result<any Sendable, ServiceError>? = state.withLock { state in
            switch state {
            case .open(let value): return .success(value)
            case .ended: return .failure(Self.ended)
            case .opening(var waiting):
                // The cancellation may have come before: nobody would take it out again.
                guard !ticket.isWithdrawn else { return .failure(.cancelled()) }
                waiting[ObjectIdentifier(ticket)] = continuation
                state = .opening(waiting)
                return nil
            }
        }
        if let answer { continuation.resume(returning: answer) }
    }

    private func withdraw(_ ticket: Ticket) {
        let continuation = state.withLock { state -> Waiter? in
            guard case .opening(var waiting) = state else { return nil }
            defer { state = .opening(waiting) }
            return waiting.removeValue(forKey: ObjectIdentifier(ticket))
        }
        continuation?.resume(returning: .failure(.cancelled()))
    }
}
