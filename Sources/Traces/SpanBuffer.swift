/// How many spans there are.
public struct SpanCounts: Sendable, Equatable {
    /// Not handed over yet.
    public var waiting = 0
    /// Handed over.
    public var exported = 0
    /// Let go: there was no room for them, or they were refused.
    public var dropped = 0
}

/// The spans that wait for their export. Pure: who waits and sends is in ``SpanExport``.
struct SpanBuffer {
    /// A span is about a kilobyte. So many cover some seconds of a busy service while a collector is away, and more would be
    /// memory that the service itself needs.
    static let mostSpans = 8_192
    /// Sent at once: a request of some hundred kilobytes.
    static let batch = 512

    /// What became of a batch.
    enum Delivery: Sendable, Equatable {
        case taken
        /// Nobody has it; it may be sent again, after the time the receiver asked for.
        case again(after: Duration?)
        /// It will never be taken.
        case refused
    }

    /// Pauses after failures in a row.
    private static let pauses = (shortest: Duration.seconds(1), longest: Duration.seconds(30))

    private var waiting: [FinishedSpan] = []
    /// Those of the batch that is being sent: they have their room still.
    private var underWay: [FinishedSpan] = []
    private var pause = Self.pauses.shortest
    private(set) var exported = 0
    private(set) var dropped = 0

    var count: Int { waiting.count }
    var counts: SpanCounts {
        SpanCounts(waiting: waiting.count + underWay.count, exported: exported, dropped: dropped)
    }

    /// Takes a span, or lets it go where there is no room. Those that came first stay: they are of the time before the trouble.
    mutating func add(_ span: FinishedSpan) {
        guard waiting.count + underWay.count < Self.mostSpans else { return dropped += 1 }
        waiting.append(span)
    }

    /// The next batch, to be reported with ``delivered(_:)`` before the next is taken.
    mutating func take() -> [FinishedSpan] {
        underWay = Array(waiting.prefix(Self.batch))
        waiting.removeFirst(underWay.count)
        return underWay
    }

    /// What became of the batch; how long to wait before the next.
    mutating func delivered(_ delivery: Delivery) -> Duration {
        defer { underWay = [] }
        switch delivery {
        case .taken:
            exported += underWay.count
            pause = Self.pauses.shortest
            return .zero
        case .refused:
            dropped += underWay.count
            pause = Self.pauses.shortest
            return .zero
        case .again(let after):
            waiting.insert(contentsOf: underWay, at: 0)
            defer { pause = min(pause * 2, Self.pauses.longest) }
            return min(max(pause, after ?? .zero), Self.pauses.longest)
        }
    }

    /// Nobody takes them any more.
    mutating func dropAll() {
        dropped += waiting.count + underWay.count
        (waiting, underWay) = ([], [])
    }
}
