public import Tracing
public import Wire

/// Begins spans, and hands those that have ended to the export. A trace begins where something comes in: what goes out without
/// belonging to anything, such as a look at the clock's tables, is no trace of its own.
public final class SpanRecorder: Tracer {
    private let sampling: Sampling
    let queue: SpanQueue

    /// - Parameter sampling: which traces are kept of those that begin here.
    public init(sampling: Sampling = Sampling(ratio: 1)) {
        self.sampling = sampling
        queue = SpanQueue()
    }

    /// How many spans wait, were handed over, and were let go since there was no room for them.
    public var counts: SpanCounts { queue.counts }

    /// Begins a span, within the one the context has.
    public func startSpan<Instant: TracerInstant>(
        _ operationName: String,
        context: @autoclosure () -> ServiceContext,
        ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant,
        function: String,
        file fileID: String,
        line: UInt
    ) -> RecordedSpan {
        let context = context()
        return start(operationName, kind, within: context.traceParent, context: context, at: instant())
    }

    /// Begins a span within another, which may be another process'.
    /// - Parameters:
    ///   - parent: what the caller said; without it a trace begins here, where the span is of something that came in.
    ///   - id: its own id, where that has to be known to others; 0 for a new one.
    public func start(
        _ name: String,
        _ kind: SpanKind,
        within parent: TraceParent?,
        id: UInt64 = 0
    ) -> RecordedSpan {
        start(
            name,
            kind,
            within: parent,
            id: id,
            context: ServiceContext.current ?? .topLevel,
            at: DefaultTracerClock.now
        )
    }

    private func start(
        _ name: String,
        _ kind: SpanKind,
        within parent: TraceParent?,
        id: UInt64 = 0,
        context: ServiceContext,
        at instant: @autoclosure () -> some TracerInstant
    ) -> RecordedSpan {
        let own: TraceParent
        if let parent {
            guard parent.isSampled else { return RecordedSpan(passingOn: parent, context: context) }
            own = id == 0 ? parent.nextHop() : parent.child(id)
        } else {
            own = kind == .server || kind == .consumer ? sampling.begin() : TraceParent()
            guard own.isSampled else { return RecordedSpan(passingOn: own, context: context) }
        }
        let span = FinishedSpan(
            name: name,
            kind: kind,
            own: own,
            parent: parent,
            start: instant().nanosecondsSinceEpoch
        )
        return RecordedSpan(span, context: context) { [queue] in queue.add($0) }
    }

    /// A caller's `traceparent`.
    public func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier,
        into context: inout ServiceContext,
        using extractor: Extract
    ) where Extract.Carrier == Carrier {
        context.traceParent = extractor.extract(key: "traceparent", from: carrier).flatMap { TraceParent($0) }
    }

    /// Nothing: whom we ask beyond our own sockets does not hear of our traces (protocol/tracing.md).
    public func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext,
        into carrier: inout Carrier,
        using injector: Inject
    ) where Inject.Carrier == Carrier {}

    /// Nothing: the export does so by itself.
    public func forceFlush() {}
}
