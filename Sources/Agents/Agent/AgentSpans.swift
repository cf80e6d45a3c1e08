import AsyncHTTPClient
import FoundationEssentials
import NIOHTTP1
import Tracing

// What agents do as spans, by OpenTelemetry's conventions for generative AI: with the tracer the process was given, or that of
// the task (`withTracer`). Never prompts, arguments or answers.

/// Does something within a span, whose failures are told by their code.
private func spanned<Value>(
    _ name: @autoclosure () -> String,
    _ kind: SpanKind,
    _ attributes: @autoclosure () -> SpanAttributes,
    _ body: (any Span) async throws -> Value
) async throws -> Value {
    let tracer = InstrumentationSystem.tracer
    // A run that nobody traces would hold the context of each span that is none while it waits, two kilobytes.
    guard !(tracer is NoOpTracer) else { return try await body(tracer.startAnySpan("")) }
    return try await spanned(tracer.startAnySpan(name(), ofKind: kind), attributes(), body)
}

@inline(never)
private func spanned<Value>(
    _ span: any Span,
    _ attributes: @autoclosure () -> SpanAttributes,
    _ body: (any Span) async throws -> Value
) async throws -> Value {
    defer { span.end() }
    guard span.isRecording else { return try await ServiceContext.withValue(span.context) { try await body(span) } }
    span.attributes = attributes()
    do {
        return try await ServiceContext.withValue(span.context) { try await body(span) }
    } catch {
        if span.attributes.get("error.type") == nil {
            let known = (error as? ProviderFailure)?.error ?? AgentError(of: error)
            span.attributes["error.type"] = known.code.rawValue
        }
        span.setStatus(SpanStatus(code: .error))
        throw error
    }
}

extension AgentRun {
    /// All of a run.
    func spanned(_ work: () async throws -> AgentResult<Output>) async throws -> AgentResult<Output> {
        try await Agents.spanned("invoke_agent", .internal, .of("invoke_agent", agent.model)) { span in
            let result = try await work()
            span.say(result.usage, result.finishReason)
            return result
        }
    }

    /// A question to the model.
    func spanned(asking work: () async throws -> ModelAnswer) async throws -> ModelAnswer {
        let model = agent.model
        return try await Agents.spanned(
            "chat \(model.name)",
            .client,
            .of("chat", model, maxTokens: agent.options.maxTokens)
        ) { span in
            let answer = try await work()
            span.say(answer.usage, answer.finishReason)
            return answer
        }
    }

    /// A call of a tool.
    func spanned(calling tool: String, _ work: () async throws -> ToolResult) async throws -> ToolResult {
        try await Agents.spanned(
            "execute_tool \(tool)",
            .internal,
            [
                "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": .string(tool),
                "gen_ai.tool.type": "function",
            ]
        ) { span in
            let result = try await work()
            if result.isError, span.isRecording {
                span.attributes["error.type"] = "tool_error"
                span.setStatus(SpanStatus(code: .error))
            }
            return result
        }
    }
}

extension ProviderExchange {
    /// A request to a provider, until its answer has ended. The provider is not told of it.
    func spanned(
        _ request: OutgoingRequest,
        attempt: Int,
        _ work: (any Span) async throws -> Void
    ) async throws {
        try await Agents.spanned(
            request.http.method.rawValue,
            .client,
            .of(request.http, attempt: attempt),
            work
        )
    }
}

extension SpanAttributes {
    fileprivate static func of(_ request: HTTPClient.Request, attempt: Int) -> SpanAttributes {
        // Without what stands before the host and behind the path, where keys may be.
        var attributes: SpanAttributes = [
            "http.request.method": .string(request.method.rawValue), "server.address": .string(request.host),
            "server.port": .int64(Int64(request.port)), "url.scheme": .string(request.scheme),
            "url.path": .string(request.url.path()),
        ]
        if attempt > 1 { attributes["http.request.resend_count"] = attempt - 1 }
        return attributes
    }

    fileprivate static func of(_ operation: String, _ model: any Model, maxTokens: Int? = nil) -> SpanAttributes {
        var attributes: SpanAttributes = [
            "gen_ai.operation.name": .string(operation), "gen_ai.request.model": .string(model.name),
        ]
        if !model.provider.isEmpty { attributes["gen_ai.provider.name"] = conventional(model.provider) }
        attributes["gen_ai.request.max_tokens"] = maxTokens
        return attributes
    }

    /// Those that the conventions call otherwise.
    private static func conventional(_ provider: String) -> String {
        switch provider {
        case "openai-responses": "openai"
        case "mistral": "mistral_ai"
        case "gemini": "gcp.gemini"
        case "xai": "x_ai"
        default: provider
        }
    }
}

extension Span {
    fileprivate func say(_ usage: Usage, _ reason: FinishReason) {
        guard isRecording else { return }
        attributes["gen_ai.usage.input_tokens"] = usage.inputTokens
        attributes["gen_ai.usage.output_tokens"] = usage.outputTokens
        attributes["gen_ai.response.finish_reasons"] = SpanAttribute.stringArray([reason.conventional])
    }
}

extension FinishReason {
    /// As the conventions write it.
    fileprivate var conventional: String {
        switch self {
        case .toolCalls: "tool_calls"
        case .contentFilter: "content_filter"
        case .stop, .length, .other: rawValue
        }
    }
}
