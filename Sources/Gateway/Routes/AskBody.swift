import Contract
import NIOCore
import Wire

/// The body of `POST /v1/ask`.
struct AskBody {
    private static let example = #"{"question": "How do I …?"}"#
    /// The name of an agent is never longer.
    private static let maximumAgentBytes = 100

    private var question: String?
    private var reader: String?
    private var agent: String?
    private var run: RunID?
    private var channel: Question.Channel?
    private var policy = RunPolicy()

    init(_ bytes: ByteBuffer) throws(ServiceError) {
        for (field, value) in try JSONBody(bytes, example: Self.example).members { try set(field, value) }
    }

    /// The call it asks for.
    func start() throws(ServiceError) -> StartRun {
        guard let question else { throw JSONBody.missing("question", example: Self.example) }
        let asked = Question(text: question.trimmed, reader: reader, channel: channel ?? .http)
        try asked.check()
        try run?.check()
        try policy.check()
        return StartRun(run: run ?? .new(), agent: agent ?? "documentation", question: asked, policy: policy)
    }

    private mutating func set(_ field: String, _ value: JSON) throws(ServiceError) {
        switch field {
        case "question": question = try JSONBody.text(field, value)
        case "reader": reader = try JSONBody.text(field, value)
        case "agent":
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
            guard let known = Question.Channel(rawValue: try JSONBody.text(field, value)) else {
                let names = Question.Channel.allCases.map(\.rawValue).joined(separator: ", ")
                throw .invalidArgument(#""channel" has to be one of \#(names)."#)
            }
            channel = known
        case "deadline_ms": policy.deadlineMilliseconds = try JSONBody.id(field, value)
        case "tries": policy.tries = try JSONBody.id(field, value)
        default:
            throw JSONBody.unknown(
                field,
                of: "a question",
                known: ["question", "reader", "agent", "run", "channel", "deadline_ms", "tries"]
            )
        }
    }
}
