import Contract
import FoundationEssentials
import Traces
import Tracing
import Wire

extension SpanRecorder {
    /// The span of one attempt of a run, for as long as this process works at it.
    ///
    /// Its id follows from the run and the attempt: an attempt that goes on where another was lost names that one, of which
    /// nothing else is left when its process was killed.
    func attempting(
        _ run: RunID,
        _ origin: RunExecution.Origin,
        agent: String,
        for caller: TraceParent?
    ) -> RecordedSpan {
        let kind: SpanKind = if case .live = origin { .internal } else { .consumer }
        let span = start("run \(agent)", kind, within: caller, id: run.span(of: origin.attempt))
        guard span.isRecording else { return span }
        span.attributes = [
            "octavo.run.id": .string("\(run)"), "octavo.run.attempt": .int64(Int64(origin.attempt)),
            "gen_ai.agent.name": .string(agent),
        ]
        if origin.attempt > 1 {
            let earlier = span.traceParent.child(run.span(of: origin.attempt - 1))
            span.addLink(SpanLink(context: .within(earlier), attributes: ["octavo.link": "earlier attempt"]))
        }
        return span
    }
}

extension RunID {
    /// The random half of the id, mixed with the attempt; never 0, which is no span's.
    func span(of attempt: Int) -> UInt64 {
        let bytes = uuid.uuid
        let low = [bytes.8, bytes.9, bytes.10, bytes.11, bytes.12, bytes.13, bytes.14, bytes.15].reduce(UInt64(0)) {
            $0 << 8 | UInt64($1)
        }
        var mixed = low &+ UInt64(attempt) &* 0x9e37_79b9_7f4a_7c15
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        mixed ^= mixed >> 31
        return max(1, mixed)
    }
}
