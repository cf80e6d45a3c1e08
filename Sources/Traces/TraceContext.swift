public import Tracing
public import Wire

private enum TraceParentKey: ServiceContextKey {
    typealias Value = TraceParent
    static let nameOverride: String? = "traceparent"
}

extension ServiceContext {
    /// The span that is under way, for those that begin within it.
    public var traceParent: TraceParent? {
        get { self[TraceParentKey.self] }
        set { self[TraceParentKey.self] = newValue }
    }

    /// One in which this span is under way, and nothing else.
    public static func within(_ traceParent: TraceParent) -> ServiceContext {
        var context = ServiceContext.topLevel
        context.traceParent = traceParent
        return context
    }
}

extension TraceParent {
    /// The span that the task is within, where spans are kept.
    public static var current: TraceParent? { ServiceContext.current?.traceParent }
}
