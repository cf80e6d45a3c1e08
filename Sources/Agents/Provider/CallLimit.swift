import NIOCore
import Synchronization

/// At most so many calls at once; further ones wait for their turn, first come first served. For a server that works on few questions at
/// a time: what it is asked beyond them it would let run into timeouts, or answer with an error.
///
/// Those who wait are bounded by whoever asks, and by the time that their runs may take, of which the wait is a part. A call has its turn
/// until its answer was read: whoever asks the same server while reading one waits for a turn of their own.
public final class CallLimit: Sendable {
    private struct State {
        var free: Int
        var waiters = CircularBuffer<(id: Int, waiter: CheckedContinuation<Bool, Never>)>()
        var ids = 0
    }

    private let state: Mutex<State>

    /// A limit.
    ///
    /// - Parameter most: How many calls there are at once, at least one.
    public init(_ most: Int) {
        state = Mutex(State(free: max(1, most)))
    }

    /// How many wait for their turn.
    public var waiting: Int { state.withLock { $0.waiters.count } }

    /// How many calls are answered before one that is made now has its turn; 0 where it has it at once.
    var ahead: Int { state.withLock { $0.free > 0 ? 0 : $0.waiters.count + 1 } }

    /// Begins a call, when it has its turn. Whoever returns from here gives the turn back. Throws `CancellationError`.
    func take() async throws {
        let id = state.withLock { state -> Int? in
            if state.free > 0 {
                state.free -= 1
                return nil
            }
            state.ids += 1
            return state.ids
        }
        guard let id else { return }
        let hasTurn = await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in wait(waiter, id) }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0).waiter }
            }
            waiter?.resume(returning: false)
        }
        guard hasTurn else { throw CancellationError() }
    }

    private func wait(_ waiter: CheckedContinuation<Bool, Never>, _ id: Int) {
        let hasTurn = state.withLock { state -> Bool? in
            // Cancelled before it was registered: the handler has run already and found nobody.
            if Task.isCancelled { return false }
            // A call has ended meanwhile.
            if state.free > 0 {
                state.free -= 1
                return true
            }
            state.waiters.append((id, waiter))
            return nil
        }
        if let hasTurn { waiter.resume(returning: hasTurn) }
    }

    /// Ends a call: whoever has waited longest has the turn.
    func giveBack() {
        let next = state.withLock { state in
            let next = state.waiters.popFirst()
            if next == nil { state.free += 1 }
            return next?.waiter
        }
        next?.resume(returning: true)
    }
}
