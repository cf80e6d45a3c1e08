/// The APIs the scripted provider speaks.
public enum ScriptedAPI: String, Sendable, CaseIterable {
    /// OpenAI's Chat Completions.
    case chat
    /// OpenAI's Responses.
    case responses
    /// Anthropic's Messages.
    case messages

    /// The API a request is for, by its path; nil for another.
    public init?(path: String) {
        switch path {
        case _ where path.hasSuffix("/chat/completions"): self = .chat
        case _ where path.hasSuffix("/responses"): self = .responses
        case _ where path.hasSuffix("/messages"): self = .messages
        default: return nil
        }
    }
}

/// What a model says, whatever the API: the same script plays over all of them, streamed or not.
public struct ScriptedAnswer: Sendable {
    /// Why it stops.
    public enum End: Sendable {
        /// It has said all, or waits for its calls.
        case done
        /// It ran out of tokens.
        case length
        /// The provider withholds the rest.
        case filtered
    }

    /// Its thinking, in the pieces it comes in; empty for none.
    public var thinking: [String]
    /// Its text, in the pieces it comes in.
    public var text: [String]
    /// The tools it asks for, after the text.
    public var calls: [ScriptedCall]
    /// What it costs; nil for a provider that does not say.
    public var usage: ScriptedUsage?
    /// Why it stops.
    public var end: End

    /// An answer.
    public init(
        _ text: String...,
        thinking: [String] = [],
        calls: [ScriptedCall] = [],
        usage: ScriptedUsage? = ScriptedUsage(input: 10, output: 5),
        end: End = .done
    ) {
        self.text = text
        self.thinking = thinking
        self.calls = calls
        self.usage = usage
        self.end = end
    }

    /// The events it is streamed in.
    public func stream(as api: ScriptedAPI) -> String {
        switch api {
        case .chat: ChatJSON.stream(self)
        case .responses: ResponsesJSON.stream(self)
        case .messages: MessagesJSON.stream(self)
        }
    }

    /// The JSON it is when it is not streamed.
    public func whole(as api: ScriptedAPI) -> String {
        switch api {
        case .chat: ChatJSON.whole(self)
        case .responses: ResponsesJSON.whole(self)
        case .messages: MessagesJSON.whole(self)
        }
    }

    /// Over HTTP.
    public func answer(as api: ScriptedAPI, streamed: Bool = true) -> Answer {
        streamed ? .stream(stream(as: api)) : .json(whole(as: api))
    }

    /// As the request wants it: by its path and its `stream`.
    public func answer(to request: RecordedRequest) -> Answer {
        guard let api = ScriptedAPI(path: request.path) else { return .fails(404, "There is no such API.") }
        return answer(as: api, streamed: request.body.contains(#""stream":true"#))
    }
}

extension ScriptedProvider {
    /// Runs `body` with a provider that says these things in order, over whatever API it is asked; further requests get a 500
    /// that says so.
    public static func withServer<Result>(
        saying answers: [ScriptedAnswer],
        _ body: (ScriptedProvider) async throws -> Result
    ) async throws -> Result {
        try await withServer(
            answering: { request, position in
                position < answers.count
                    ? answers[position].answer(to: request) : .fails(500, "The script has no answer left.")
            },
            body
        )
    }
}
