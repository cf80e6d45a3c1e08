/// Which methods Slack wants to be left alone, and until when. Its limits are by method, for the whole app: so one call that was
/// refused speaks for all. Pure: what happened goes in, whether to call comes out.
struct RateGate {
    /// Slack always says how long; this is for whatever stands between us and says no more than 429.
    static let usualPause = Duration.seconds(10)
    /// Longer is no wish but a mistake.
    static let longestPause = Duration.seconds(600)

    private var closed: [String: ContinuousClock.Instant] = [:]

    /// How long the method is still to be left alone; nil when it may be called.
    mutating func pause(before method: String, now: ContinuousClock.Instant) -> Duration? {
        guard let end = closed[method] else { return nil }
        if now < end { return end - now }
        closed[method] = nil
        return nil
    }

    /// It was answered with 429 and this `Retry-After`, in seconds.
    mutating func close(_ method: String, retryAfter: String?, now: ContinuousClock.Instant) {
        let wish = retryAfter.flatMap { Int($0) }.map { Duration.seconds(max(1, min($0, 86_400))) }
        let end = now + min(wish ?? Self.usualPause, Self.longestPause)
        closed[method] = max(closed[method] ?? end, end)
    }
}
