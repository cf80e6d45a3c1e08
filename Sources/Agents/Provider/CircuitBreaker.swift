import Synchronization

/// Leaves a provider alone that fails again and again, so that whoever asks is told at once, or asked of another model, and
/// the provider has time to recover. One may stand in front of all models of a provider.
///
///     closed ── failures in a row ──▶ open ── pause over ──▶ one request tries ── success ──▶ closed
///                                      ▲                             │
///                                      └───── pause doubled ◀── failure
///
/// A provider that asked for fewer requests is left alone as long as it asked, by everybody.
public final class CircuitBreaker: Sendable {
    private let state: Mutex<CircuitState>

    /// - Parameters:
    ///   - failures: how many in a row open it. Three requests with their retries are nine.
    ///   - pause: how long it is open at first; twice as long after each trial that fails, up to a minute.
    public init(failures: Int = 9, pause: Duration = .seconds(10)) {
        state = Mutex(CircuitState(threshold: max(1, failures), shortest: pause))
    }

    /// Throws ``ProviderFailure`` when no request may be made now.
    func admit(now: ContinuousClock.Instant = .now) throws {
        switch state.withLock({ $0.admit(now) }) {
        case .admitted: break
        case .open(let rest):
            let sentence = "The provider failed again and again, and is left alone for a while."
            throw ProviderFailure(AgentError(.providerUnavailable, sentence, retryAfter: rest), mayRetry: false)
        case .held(let rest):
            throw ProviderFailure(
                AgentError(.rateLimited, "The provider asked for fewer requests.", retryAfter: rest),
                mayRetry: true
            )
        }
    }

    func succeeded() {
        state.withLock { $0.succeeded() }
    }

    /// The request came to nothing, whatever the reason: what it was says whether the provider is to blame.
    func ended(with error: AgentError?, now: ContinuousClock.Instant = .now) {
        state.withLock { state in
            switch error?.code {
            case .providerUnavailable, .timedOut: state.failed(now)
            case .rateLimited: state.hold(error?.retryAfter, now)
            default: state.abandoned()
            }
        }
    }
}

/// Pure: what happened goes in, whether to ask comes out.
struct CircuitState {
    enum Verdict: Equatable {
        case admitted
        case open(Duration)
        case held(Duration)
    }

    /// A provider that was away for an hour is found again within this.
    private static let longest = Duration.seconds(60)

    let threshold: Int
    let shortest: Duration
    private var failures = 0
    private var pause: Duration?
    private var openUntil: ContinuousClock.Instant?
    private var heldUntil: ContinuousClock.Instant?
    private var isTrying = false

    init(threshold: Int, shortest: Duration) {
        self.threshold = threshold
        self.shortest = shortest
    }

    mutating func admit(_ now: ContinuousClock.Instant) -> Verdict {
        if let heldUntil, now < heldUntil { return .held(heldUntil - now) }
        guard let openUntil else { return .admitted }
        if now < openUntil { return .open(openUntil - now) }
        // One at a time: a provider that comes back slowly is not to be met by all at once.
        guard !isTrying else { return .open(shortest) }
        isTrying = true
        return .admitted
    }

    mutating func succeeded() {
        failures = 0
        pause = nil
        openUntil = nil
        isTrying = false
    }

    mutating func failed(_ now: ContinuousClock.Instant) {
        failures += 1
        let wasTrying = isTrying
        isTrying = false
        // Requests that were under way when it opened say nothing new.
        guard failures >= threshold, wasTrying || openUntil == nil else { return }
        let next = min(pause.map { $0 * 2 } ?? shortest, Self.longest)
        pause = next
        openUntil = now + next
    }

    mutating func hold(_ wish: Duration?, _ now: ContinuousClock.Instant) {
        isTrying = false
        guard let wish else { return }
        heldUntil = max(heldUntil ?? now, now + min(wish, Self.longest))
    }

    /// It was cancelled, or refused for what it asked: that says nothing of the provider.
    mutating func abandoned() {
        isTrying = false
    }
}
