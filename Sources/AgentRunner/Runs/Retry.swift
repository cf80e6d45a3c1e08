import Wire

/// Trying again while a service is away: it restarts within seconds, and what was accepted must not be lost for that.
enum Retry {
    /// Repeats an idempotent call while it is answered with `unavailable` or `outcome_unknown`, at growing, random
    /// intervals from 20 ms to 1 s, for at most the time given; then the last error is thrown.
    static func whileUnavailable<T: Sendable>(for patience: Duration, _ body: () async throws -> T) async throws -> T {
        let end = ContinuousClock.now + patience
        var pause = 20.0
        while true {
            do {
                return try await body()
            } catch let error as ServiceError where error.passes && ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(Int(Double.random(in: pause / 2...pause))))
                pause = min(1_000, pause * 2)
            }
        }
    }
}

extension ServiceError {
    /// Whether the same idempotent call may succeed a little later.
    var passes: Bool {
        switch code {
        case .unavailable, .outcomeUnknown, .deadlineExceeded: retry != .no
        default: false
        }
    }
}
