import Contract
import Synchronization
import Wire

/// The events of one run as they may be shown, for any number of followers in this process.
final class RunFeed: Sendable {
    private struct State {
        var events: [JSON] = []
        var ending: Result<Void, ServiceError>?
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter = 0
    }

    /// The number of the first event shown here; those before it are in storage only.
    let first: Int
    private let state = Mutex(State())

    init(first: Int = 1) {
        self.first = first
    }

    /// Shows an event. The caller keeps the order.
    func show(_ event: JSON) {
        wake { $0.events.append(event) }
    }

    /// Nothing comes any more. The first call counts.
    func end(_ ending: Result<Void, ServiceError> = .success(())) {
        wake { state in
            if state.ending == nil { state.ending = ending }
        }
    }

    /// The events from a position on (0 is the first shown here), waiting for at least one; nil when the run has ended.
    func events(from position: Int) async throws -> ArraySlice<JSON>? {
        while true {
            try Task.checkCancellation()
            let (events, ending) = state.withLock { state in
                (state.events.count > position ? state.events[position...] : [], state.ending)
            }
            if !events.isEmpty { return events }
            if let ending {
                try ending.get()
                return nil
            }
            await wait(for: position)
        }
    }

    private func wait(for position: Int) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    // Cancelled before it was registered: the handler has run already and found nobody.
                    if state.events.count > position || state.ending != nil || Task.isCancelled { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
            waiter?.resume()
        }
    }

    private func wake(_ change: (inout State) -> Void) {
        let waiters = state.withLock { state in
            change(&state)
            defer { state.waiters.removeAll() }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }
}
