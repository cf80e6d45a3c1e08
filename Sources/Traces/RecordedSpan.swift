internal import Synchronization
public import Tracing
public import Wire

/// A span that has ended, for the exporter.
struct FinishedSpan: Sendable {
    var name: String
    var kind: SpanKind
    var own: TraceParent
    /// The span above it; nil where the trace begins.
    var parent: TraceParent?
    var start: UInt64
    var end: UInt64 = 0
    var attributes: SpanAttributes = [:]
    var events: [SpanEvent] = []
    var links: [SpanLink] = []
    var status: SpanStatus?
}

/// A span under way. One that is not kept takes nothing, and hands on its trace alone.
public final class RecordedSpan: Tracing.Span {
    /// More of them mean a loop, and they are held in memory.
    private static let mostEvents = 32
    private static let mostLinks = 32

    /// What is begun within it.
    public let context: ServiceContext
    /// Its trace and its own id.
    public let traceParent: TraceParent
    private let finish: (@Sendable (FinishedSpan) -> Void)?
    /// Nil when it has ended, or is not kept.
    private let state: Mutex<FinishedSpan?>

    init(_ span: FinishedSpan, context: ServiceContext, finish: @escaping @Sendable (FinishedSpan) -> Void) {
        traceParent = span.own
        var context = context
        context.traceParent = span.own
        self.context = context
        self.finish = finish
        state = Mutex(span)
    }

    /// One that is not kept.
    init(passingOn traceParent: TraceParent, context: ServiceContext) {
        self.traceParent = traceParent
        var context = context
        context.traceParent = traceParent
        self.context = context
        finish = nil
        state = Mutex(nil)
    }

    /// Whether it is kept.
    public var isRecording: Bool { finish != nil }

    /// Its name.
    public var operationName: String {
        get { state.withLock { $0?.name } ?? "" }
        set { state.withLock { $0?.name = newValue } }
    }

    /// What is said of it.
    public var attributes: SpanAttributes {
        get { state.withLock { $0?.attributes } ?? [:] }
        set { state.withLock { $0?.attributes = newValue } }
    }

    /// How it went.
    public func setStatus(_ status: SpanStatus) {
        state.withLock { $0?.status = status }
    }

    /// Something that happened meanwhile.
    public func addEvent(_ event: SpanEvent) {
        state.withLock { span in
            if span?.events.count ?? 0 < Self.mostEvents { span?.events.append(event) }
        }
    }

    /// Another span it has to do with.
    public func addLink(_ link: SpanLink) {
        state.withLock { span in
            if span?.links.count ?? 0 < Self.mostLinks { span?.links.append(link) }
        }
    }

    /// It failed: by an error of this type. Its words stay here, since nobody knows what they quote.
    public func recordError<Instant: TracerInstant>(
        _ error: any Error,
        attributes: SpanAttributes,
        at instant: @autoclosure () -> Instant
    ) {
        fail(error is CancellationError ? "cancelled" : "\(type(of: error))")
    }

    /// It failed.
    /// - Parameter type: a code of few; no words.
    public func fail(_ type: String) {
        state.withLock { span in
            span?.status = SpanStatus(code: .error)
            // What knew more of it has said so before.
            if span?.attributes.get("error.type") == nil { span?.attributes["error.type"] = type }
        }
    }

    /// It is over; what comes later is not heard.
    public func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        guard let finish, var span = state.withLock({ $0.take() }) else { return }
        // A clock that was set back meanwhile.
        span.end = max(span.start, instant().nanosecondsSinceEpoch)
        finish(span)
    }
}
