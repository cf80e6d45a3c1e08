internal import Contract
internal import Traces
internal import Tracing
internal import Wire

// The spans of calls, by OpenTelemetry's conventions for RPC. Where nothing is kept there is none, and nothing is made.
extension SpanRecorder {
    /// A call that is about to be made; nil where its trace is not kept, or there is none.
    func calling(_ operation: String, of service: String, for parent: TraceParent?) -> RecordedSpan? {
        guard let parent, parent.isSampled else { return nil }
        let span = start(operation, .client, within: parent)
        span.attributes = .ofCall(operation)
        span.attributes["server.address"] = service
        return span
    }

    /// A call that came in; nil where its trace is not kept. None begins with a call that stands waiting, or with what a runner
    /// says of itself.
    func answering(_ call: Message.Call, role: Role, isStanding: Bool) -> RecordedSpan? {
        guard call.traceparent?.isSampled ?? (!isStanding && role != .agentRunner) else { return nil }
        let span = start(call.operation, .server, within: call.traceparent)
        guard span.isRecording else { return nil }
        span.attributes = .ofCall(call.operation)
        span.attributes["octavo.caller"] = role.rawValue
        if let run = call.arguments.run { span.attributes["octavo.run.id"] = "\(run)" }
        return span
    }
}

extension RecordedSpan {
    /// The caller has its answer.
    func end(_ outcome: Result<JSON, ServiceError>) {
        if let code = outcome.failureCode {
            attributes["rpc.response.status_code"] = code.rawValue
            fail(code.rawValue)
        }
        end()
    }

    /// The call is answered. What its caller did wrong is not this side's failure.
    func endAnswering(_ outcome: Result<JSON, ServiceError>) {
        if let code = outcome.failureCode {
            attributes["rpc.response.status_code"] = code.rawValue
            switch code {
            case .deadlineExceeded, .unavailable, .outcomeUnknown, .internal, .dataLoss, .unimplemented:
                fail(code.rawValue)
            default: break
            }
        }
        end()
    }
}

extension SpanAttributes {
    fileprivate static func ofCall(_ operation: String) -> SpanAttributes {
        ["rpc.system.name": "octavo", "rpc.method": .string(operation), "network.transport": "unix"]
    }
}

extension Result where Failure == ServiceError {
    fileprivate var failureCode: ErrorCode? { if case .failure(let error) = self { error.code } else { nil } }
}
