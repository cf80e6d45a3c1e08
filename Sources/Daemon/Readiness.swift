internal import Synchronization
internal import Systemd

/// Decides when READY=1 is true: once every listener that was announced while composing has been armed.
///
/// Announcing happens before the services run and arming while they run, so no service can be overtaken: READY=1
/// waits for the composition to be complete (`seal`) and for the last announced listener.
final class Readiness: Sendable {
    private struct State {
        var waiting: [Int: String] = [:]
        var next = 0
        var sealed = false
        var said = false
    }

    private let notifier: Notifier
    private let state = Mutex(State())

    init(notifier: Notifier) {
        self.notifier = notifier
    }

    /// Announces a listener; the closure reports it armed, and does nothing the second time.
    func announce(_ name: String) -> @Sendable () -> Void {
        let number = state.withLock { state in
            precondition(!state.sealed, "\(name) was announced after the composition was complete")
            state.next += 1
            state.waiting[state.next] = name
            return state.next
        }
        return { self.change { $0.waiting[number] = nil } }
    }

    /// The composition is complete: nothing more will be announced.
    func seal() {
        change { $0.sealed = true }
    }

    private func change(_ change: (inout State) -> Void) {
        let (isReady, missing) = state.withLock { state in
            change(&state)
            guard state.sealed, !state.said else { return (false, nil as String?) }
            guard state.waiting.isEmpty else { return (false, state.waiting.values.sorted().joined(separator: ", ")) }
            state.said = true
            return (true, nil)
        }
        if isReady {
            if notifier.ready() { notifier.status("ready") }
        } else if let missing {
            notifier.status("starting; waiting for \(missing)")
        }
    }
}
