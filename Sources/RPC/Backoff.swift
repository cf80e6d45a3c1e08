internal import NIOCore
internal import Wire

/// When to try again to connect: full jitter, 50 ms to 2 s, so that many clients do not come back all at once. Pure.
struct Backoff {
    private static let first = Duration.milliseconds(50)
    private static let longest = Duration.seconds(2)

    private var failures = 0
    private var failingSince: NIODeadline?
    /// No attempt before this.
    private(set) var until = NIODeadline.uptimeNanoseconds(0)
    /// The last failure, for those who wait.
    private(set) var reason = ""

    /// An attempt failed.
    /// - Parameter isBusy: the peer lives but its backlog is full, or it has connections enough: that is no outage, and
    ///   calls wait for it until their deadlines.
    mutating func failed(_ reason: String, isBusy: Bool, now: NIODeadline) {
        self.reason = reason
        if isBusy { failingSince = nil } else if failingSince == nil { failingSince = now }
        let ceiling = min(Self.longest, Self.first * (1 << min(failures, 6)))
        failures += 1
        until = now + TimeAmount(ceiling * Double.random(in: 0...1))
    }

    /// The service has introduced itself.
    mutating func succeeded() {
        self = Backoff()
    }

    /// Whether connecting has failed for so long that calls had better fail at once.
    func isOutage(now: NIODeadline, patience: Duration) -> Bool {
        failingSince.map { now - $0 >= TimeAmount(patience) } ?? false
    }
}
