import Contract
import HTTPTypes
import Hummingbird
import NIOCore
import RPC
import Wire

/// `POST /v1/conversations/{id}/messages` and `GET /v1/conversations/{id}`: the history is the server's, and a caller says a
/// text.
struct ConversationRoutes: Sendable {
    /// How long the agent runner has to say which agents there are: the text is stored whether or not it answers.
    private static let patience = Duration.seconds(1)

    let storage: RPCClient
    let follower: RunFollower
    let limits: HTTPLimits

    func add(to router: RouterGroup<BasicRequestContext>) {
        router.post("conversations/:conversation/messages") { request, context in
            let conversation = try Self.conversation(context.parameters.require("conversation"))
            let body = try MessageBody(await JSONBody.bytes(of: request, limits: limits))
            let say = try body.say(in: conversation)
            try await checkAgent(of: say)
            let said = try await storage.json(say, traceparent: Trace.of(request))
            return JSONResponse.response(said, status: .accepted)
        }
        router.get("conversations/:conversation") { request, context in
            let conversation = try Self.conversation(context.parameters.require("conversation"))
            try Query.takes("limit", in: request)
            let limit = try Query.integer("limit", in: request, default: 20, range: 1...100)
            return JSONResponse.response(try await storage.json(GetConversation(conversation, limit: limit)))
        }
    }

    /// A text for an agent that there is not would wait for it for ever. Where the agent runner does not answer nobody knows, and it is
    /// accepted.
    private func checkAgent(of say: Say) async throws {
        guard say.agent != Say.usualAgent,
            let list = try? await follower.runner.client(for: say.run).perform(ListAgents(), deadline: Self.patience),
            !list.hasAgent(say.agent)
        else { return }
        let known = list.agents.map(\.name).joined(separator: ", ")
        throw ServiceError.invalidArgument("There is no agent \"\(say.agent)\". Agents: \(known).")
    }

    private static func conversation(_ text: String) throws -> ConversationID {
        guard let conversation = ConversationID(text) else {
            throw ServiceError.invalidArgument("A conversation's id is a UUID, not \"\(text)\".")
        }
        return conversation
    }
}

/// The body of `POST /v1/conversations/{id}/messages`. It has no field for what was said before, for what a tool has answered, or for
/// what somebody has approved: a caller who sends one is refused, and could not be believed.
struct MessageBody {
    private static let example = #"{"text": "How do I …?"}"#
    private static let maximumAgentBytes = 100

    private var text: String?
    private var reader: String?
    private var agent: String?
    private var run: RunID?

    init(_ bytes: ByteBuffer) throws(ServiceError) {
        for (field, value) in try JSONBody(bytes, example: Self.example).members {
            switch field {
            case "text": text = try JSONBody.text(field, value)
            case "reader": reader = try JSONBody.text(field, value)
            case "agent": agent = try JSONBody.text(field, value, characters: 1...Self.maximumAgentBytes)
            case "run":
                guard let id = RunID(try JSONBody.text(field, value)) else {
                    throw .invalidArgument(#""run" has to be a UUID of version 7."#)
                }
                run = id
            default: throw JSONBody.unknown(field, of: "a message", known: ["text", "reader", "agent", "run"])
            }
        }
    }

    /// The call it asks for.
    func say(in conversation: ConversationID) throws(ServiceError) -> Say {
        guard let text else { throw JSONBody.missing("text", example: Self.example) }
        let question = Question(text: text.trimmed, reader: reader, channel: .http)
        try question.check(field: "text")
        return Say(conversation: conversation, run: run ?? .new(), agent: agent ?? Say.usualAgent, question: question)
    }
}
