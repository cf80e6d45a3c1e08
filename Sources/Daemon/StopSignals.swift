internal import Dispatch
internal import Glibc
internal import Synchronization

/// SIGTERM and SIGINT: the first asks for a graceful stop, the second ends the process at once.
///
/// They are received on a queue of their own and not on the cooperative pool: when every thread of the pool is stuck,
/// the second Ctrl-C and the last deadline must still work.
final class StopSignals: Sendable {
    /// Yields the first signal.
    let first: AsyncStream<Int32>

    /// Whether the first has come.
    var wasReceived: Bool { count.load(ordering: .acquiring) > 0 }

    private let continuation: AsyncStream<Int32>.Continuation
    private let queue = DispatchQueue(label: "octavo.signals")
    private let count = Atomic<Int>(0)
    private let patience: Duration
    private let onFirst: @Sendable (Int32) -> Void

    /// - Parameters:
    ///   - patience: how long after the first signal the process may live, whatever its tasks do.
    ///   - onFirst: called on the queue, before ``first`` yields.
    init(patience: Duration, onFirst: @escaping @Sendable (Int32) -> Void) {
        (self.first, self.continuation) = AsyncStream.makeStream()
        self.patience = patience
        self.onFirst = onFirst
    }

    /// Returns once both signals are caught, which `resume()` alone does not promise: it only asks Dispatch's own
    /// thread, and a SIGTERM in between would end the process.
    func install() async {
        for signal in [SIGTERM, SIGINT] {
            let source = DispatchSource.makeSignalSource(signal: signal, queue: queue)
            // The handler keeps both alive: signals are caught until the process ends.
            source.setEventHandler { [self] in
                withExtendedLifetime(source) { receive(signal) }
            }
            await withCheckedContinuation { continuation in
                source.setRegistrationHandler { continuation.resume() }
                source.resume()
            }
        }
    }

    private func receive(_ signal: Int32) {
        guard count.add(1, ordering: .acquiringAndReleasing).oldValue == 0 else { Self.die(of: signal) }
        onFirst(signal)
        continuation.yield(signal)
        continuation.finish()
        queue.asyncAfter(deadline: .now() + .milliseconds(Int(patience / .milliseconds(1)))) {
            LineSink.standardError.write("The work did not stop when it was cancelled; the process ends now.\n")
            _exit(1)
        }
    }

    /// Dies of the signal itself rather than of an exit code, so that the parent sees what happened.
    private static func die(of number: Int32) -> Never {
        signal(number, SIG_DFL)
        var mask = sigset_t()
        sigemptyset(&mask)
        sigaddset(&mask, number)
        pthread_sigmask(SIG_UNBLOCK, &mask, nil)
        raise(number)
        _exit(128 + number)
    }
}

/// SIGHUP: the settings are to be read again. On the queue too, since that is done in a moment and needs nobody else.
final class ReloadSignal: Sendable {
    private let queue = DispatchQueue(label: "octavo.reload")
    private let reload: @Sendable () -> Void

    init(_ reload: @escaping @Sendable () -> Void) {
        self.reload = reload
    }

    /// Returns once the signal is caught; before that it ends the process.
    func install() async {
        let source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: queue)
        source.setEventHandler { [self] in withExtendedLifetime(source) { reload() } }
        await withCheckedContinuation { continuation in
            source.setRegistrationHandler { continuation.resume() }
            source.resume()
        }
    }
}
