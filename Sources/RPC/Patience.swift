public import Wire

/// How long a caller puts up with a service that is away: services restart within seconds, and what was accepted must not
/// be lost for that. Only for calls that may be repeated.
public struct Patience: Sendable {
    private let limit: Duration
    private var end: ContinuousClock.Instant?
    private var pause = 20.0

    /// - Parameter limit: from the first failure in a row to giving up.
    public init(_ limit: Duration) {
        self.limit = limit
    }

    /// The service has answered: the next failure is a first one again.
    public mutating func succeeded() {
        self = Patience(limit)
    }

    /// Waits before the next try: 20 ms to 1 s, growing and random, or as long as the service asked for.
    /// - Throws: the error itself when it is not of the kind that passes (`retry` says so) or patience is over;
    ///   `CancellationError`.
    public mutating func wait(after error: ServiceError) async throws {
        let now = ContinuousClock.now
        let end = end ?? now + limit
        self.end = end
        guard error.retry != .no, now < end else { throw error }
        let own = Int(Double.random(in: pause / 2...pause))
        try await Task.sleep(for: .milliseconds(max(own, min(error.afterMilliseconds ?? 0, 5_000))))
        pause = min(1_000, pause * 2)
    }

    /// Repeats a call until it succeeds, is refused for good, or patience is over.
    public static func repeating<T: Sendable>(for limit: Duration, _ body: () async throws -> T) async throws -> T {
        var patience = Patience(limit)
        while true {
            do {
                return try await body()
            } catch let error as ServiceError {
                try await patience.wait(after: error)
            }
        }
    }
}
