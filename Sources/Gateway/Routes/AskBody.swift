import Contract
import NIOCore
import Wire

/// The body of `POST /v1/ask`, and of `POST /v1/agents/{name}/runs`, which names the agent itself.
struct AskBody {
    /// The name of an agent is never longer.
    private static let maximumAgentBytes = 100
    /// Where people ask.
    private static let channels = Question.Channel.allCases.filter { $0 != .schedule }

    /// What is asked is a question there and any text here.
    private let asked: String
    private let example: String
    private let takesAgent: Bool
    private var question: String?
    private var reader: String?
    private var agent: String?
    private var run: RunID?
    private var channel: Question.Channel?
    private var policy = RunPolicy()
    private var slack: SlackThread?

    /// - Parameter agent: The agent that the request's path names.
    init(_ bytes: ByteBuffer, agent: String? = nil) throws(ServiceError) {
        self.agent = agent
        takesAgent = agent == nil
        asked = agent == nil ? "question" : "input"
        example = agent == nil ? #"{"question": "How do I …?"}"# : #"{"input": "…"}"#
        for (field, value) in try JSONBody(bytes, example: example).members { try set(field, value) }
    }

    /// The call it asks for.
    func start() throws(ServiceError) -> StartRun {
        guard let text = question else { throw JSONBody.missing(asked, example: example) }
        let question = Question(text: text.trimmed, reader: reader, channel: channel ?? .http)
        try question.check(field: asked)
        try run?.check()
        try policy.check()
        try slack?.check()
        return StartRun(
            run: run ?? .new(),
            agent: agent ?? "documentation",
            question: question,
            policy: policy,
            slack: slack,
            isNew: run == nil ? true : nil
        )
    }

    private mutating func set(_ field: String, _ value: JSON) throws(ServiceError) {
        switch field {
        case asked: question = try JSONBody.text(field, value)
        case "reader": reader = try JSONBody.text(field, value)
        case "agent" where takesAgent:
            let name = try JSONBody.text(field, value)
            guard (1...Self.maximumAgentBytes).contains(name.utf8.count) else {
                throw .invalidArgument(#""agent" has 1 to \#(Self.maximumAgentBytes) bytes, not \#(name.utf8.count)."#)
            }
            agent = name
        case "run":
            guard let id = RunID(try JSONBody.text(field, value)) else {
                throw .invalidArgument(#""run" has to be a UUID of version 7."#)
            }
            run = id
        case "channel":
            let known = Question.Channel(rawValue: try JSONBody.text(field, value))
            guard let known, Self.channels.contains(known) else {
                let names = Self.channels.map(\.rawValue).joined(separator: ", ")
                throw .invalidArgument(#""channel" has to be one of \#(names)."#)
            }
            channel = known
        case "deadline_ms":
            policy.deadlineMilliseconds = try JSONBody.integer(field, value, range: 1...RunPolicy.longestMilliseconds)
        case "tries": policy.tries = try JSONBody.integer(field, value, range: RunPolicy.triesRange)
        case "slack": slack = try Self.thread(value)
        default:
            throw JSONBody.unknown(
                field,
                of: takesAgent ? "a question" : "a run",
                known: [asked, "reader"] + (takesAgent ? ["agent"] : []) + [
                    "run", "channel", "deadline_ms", "tries", "slack",
                ]
            )
        }
    }

    private static func thread(_ value: JSON) throws(ServiceError) -> SlackThread {
        let example = #"{"channel": "C0123ABCD", "thread": "1700000000.000100"}"#
        guard let members = value.members else { throw .invalidArgument(#""slack" has to be like \#(example)."#) }
        var thread = SlackThread(channel: "", thread: "")
        for (field, value) in members {
            switch field {
            case "channel": thread.channel = try JSONBody.text("slack.channel", value)
            case "thread": thread.thread = try JSONBody.text("slack.thread", value)
            default: throw JSONBody.unknown(field, of: "a Slack thread", known: ["channel", "thread"])
            }
        }
        return thread
    }
}
