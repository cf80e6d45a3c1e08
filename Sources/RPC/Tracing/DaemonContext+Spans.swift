internal import Configuration
public import Daemon
internal import Logging
public import ServiceLifecycle
public import Traces

/// A process' spans: what records them, and what hands them over. Both are nothing where none are kept.
public struct Spans: Sendable {
    /// Nil where none are kept: then nobody makes any.
    public let recorder: SpanRecorder?
    /// To be stopped last, when no more spans come.
    public let services: [any Service]
}

extension DaemonContext {
    /// From the settings `OCTAVO_TRACES` and `OCTAVO_TRACES_SAMPLE`. Call it once, while composing.
    public func spans(version: String) throws(ConfigurationError) -> Spans {
        let ratio = config.string(forKey: "octavo.traces.sample", default: "1")
        guard let sampling = Sampling(ratio) else {
            throw ConfigurationError("OCTAVO_TRACES_SAMPLE is \"\(ratio)\"; it has to be a number from 0 to 1.")
        }
        guard let setting = config.string(forKey: "octavo.traces") else { return Spans(recorder: nil, services: []) }
        let target: TraceTarget
        do {
            target = try TraceTarget(setting, logs: config.string(forKey: "logs.directory"))
        } catch {
            throw ConfigurationError("\(error)")
        }
        let recorder = SpanRecorder(sampling: sampling)
        let export = SpanExport(
            recorder,
            to: target,
            service: name,
            version: version,
            group: RPCEventLoop.shared,
            logger: logger
        )
        return Spans(recorder: recorder, services: [export])
    }
}
