import Contract
import Synchronization

/// How a run that a reader waits for begins in storage: where its agent begins with a call of its model, that begins in the same
/// transaction. So the model is asked after one commit, not two; or at once, and the run is opened meanwhile.
final class Opening: Sendable {
    private struct State {
        var step: OpenRun.Step?
        var isKnown = false
        var hasBegun = false
    }

    /// Whether the first call of the model need not wait for the run to be open.
    let goesAhead: Bool
    private let state = Mutex(State())
    private let known = Awaited<Void>()

    init(goesAhead: Bool) {
        self.goesAhead = goesAhead
    }

    /// The agent wants to begin with this step. False when the run is opened without one: then it is begun by itself.
    func offer(_ step: OpenRun.Step) -> Bool {
        let isFirst = state.withLock { state in
            guard !state.isKnown else { return false }
            state.step = step
            state.isKnown = true
            return true
        }
        if isFirst { known.set(()) }
        return isFirst
    }

    /// There is nothing to wait for: the agent does something else first, or has come to its end.
    func offerNothing() {
        state.withLock { $0.isKnown = true }
        known.set(())
    }

    /// What the agent begins with, once that is known.
    func step() async throws -> OpenRun.Step? {
        try await known.value()
        return state.withLock { $0.step }
    }

    /// Whether the step that was offered has begun with the run. To be asked when the lease is there.
    var hasBegun: Bool {
        get { state.withLock { $0.hasBegun } }
        set { state.withLock { $0.hasBegun = newValue } }
    }
}
