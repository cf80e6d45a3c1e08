internal import DequeModule
internal import Synchronization
internal import Wire

/// Who may use a transaction now: its own calls together, or one savepoint in it alone. In the order they came, since
/// what is done after a savepoint was set would be undone with it.
final class SavepointGate: Sendable {
    enum Kind { case call, savepoint }

    private struct Waiter {
        let ticket: Ticket
        let kind: Kind
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var calls = 0
        var hasSavepoint = false
        var waiting: Deque<Waiter> = []

        func admits(_ kind: Kind) -> Bool {
            switch kind {
            case .call: !hasSavepoint
            case .savepoint: !hasSavepoint && calls == 0
            }
        }

        mutating func enter(_ kind: Kind) {
            switch kind {
            case .call: calls += 1
            case .savepoint: hasSavepoint = true
            }
        }
    }

    private let state = Mutex(State())

    /// Waits for its turn; who was admitted leaves again.
    /// - Throws: `cancelled` when the task was cancelled while it waited.
    func enter(_ kind: Kind) async throws(ServiceError) {
        guard await isAdmitted(kind) else { throw .cancelled() }
    }

    private func isAdmitted(_ kind: Kind) async -> Bool {
        let isFree = state.withLock { state in
            guard state.waiting.isEmpty, state.admits(kind) else { return false }
            state.enter(kind)
            return true
        }
        if isFree { return true }
        let ticket = Ticket()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    // The cancellation may have come before: nobody would take it out again.
                    if ticket.isWithdrawn { return false }
                    guard !state.waiting.isEmpty || !state.admits(kind) else {
                        state.enter(kind)
                        return true
                    }
                    state.waiting.append(Waiter(ticket: ticket, kind: kind, continuation: continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            ticket.withdraw()
            withdraw(ticket)
        }
    }

    func leave(_ kind: Kind) {
        let admitted = state.withLock { state in
            switch kind {
            case .call: state.calls -= 1
            case .savepoint: state.hasSavepoint = false
            }
            return Self.admit(&state)
        }
        for waiter in admitted { waiter.continuation.resume(returning: true) }
    }

    private func withdraw(_ ticket: Ticket) {
        let (withdrawn, admitted) = state.withLock { state -> (Waiter?, [Waiter]) in
            guard let index = state.waiting.firstIndex(where: { $0.ticket === ticket }) else { return (nil, []) }
            // Those behind it may have waited for nothing else.
            return (state.waiting.remove(at: index), Self.admit(&state))
        }
        withdrawn?.continuation.resume(returning: false)
        for waiter in admitted { waiter.continuation.resume(returning: true) }
    }

    private static func admit(_ state: inout State) -> [Waiter] {
        var admitted: [Waiter] = []
        while let next = state.waiting.first, state.admits(next.kind) {
            state.enter(next.kind)
            admitted.append(state.waiting.removeFirst())
        }
        return admitted
    }
}
