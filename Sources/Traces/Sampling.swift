internal import Wire

/// Which traces are kept. A caller has decided for all that is done for it; only where a trace begins this is asked.
public struct Sampling: Sendable, Equatable {
    /// The part of the traces that is kept, from 0 to 1.
    public let ratio: Double
    private let limit: UInt64

    /// From the setting `OCTAVO_TRACES_SAMPLE`; nil for what is no number from 0 to 1.
    public init?(_ setting: String) {
        guard let ratio = Double(setting), (0...1).contains(ratio) else { return nil }
        self.init(ratio: ratio)
    }

    /// - Parameter ratio: from 0 to 1.
    public init(ratio: Double) {
        self.ratio = ratio
        // 56 bits, as OpenTelemetry compares them: so all who look at the same trace decide alike.
        limit = UInt64(min(max(ratio, 0), 1) * Double(UInt64(1) << 56))
    }

    /// The first `traceparent` of a new trace.
    func begin() -> TraceParent {
        let kept = TraceParent(isSampled: true)
        return kept.chance & (1 << 56 - 1) < limit ? kept : TraceParent()
    }
}
