import Contract
import NIOCore
import Wire

/// The body of `POST /v1/ask`, read member by member, so that whoever wrote it is told which one is wrong and why.
struct AskBody {
    /// The name of an agent is never longer.
    private static let maximumAgentBytes = 100

    private var question: String?
    private var reader: String?
    private var agent: String?
    private var run: RunID?
    private var channel: Question.Channel?

    init(_ bytes: ByteBuffer) throws(ServiceError) {
        guard bytes.readableBytes > 0 else {
            throw .invalidArgument(#"The body is empty: it has to be JSON like {"question": "How do I …?"}."#)
        }
        for (field, value) in try Self.members(of: bytes) where value != .null { try set(field, value) }
    }

    /// The call it asks for.
    func start() throws(ServiceError) -> StartRun {
        guard let question else {
            throw .invalidArgument(#""question" is missing: the body has to be like {"question": "How do I …?"}."#)
        }
        let asked = Question(text: question.trimmed, reader: reader, channel: channel ?? .http)
        try asked.check()
        try run?.check()
        return StartRun(run: run ?? .new(), agent: agent ?? "documentation", question: asked)
    }

    private mutating func set(_ field: String, _ value: JSON) throws(ServiceError) {
        switch field {
        case "question": question = try Self.text(field, value)
        case "reader": reader = try Self.text(field, value)
        case "agent":
            let name = try Self.text(field, value)
            guard (1...Self.maximumAgentBytes).contains(name.utf8.count) else {
                throw .invalidArgument(#""agent" has 1 to \#(Self.maximumAgentBytes) bytes, not \#(name.utf8.count)."#)
            }
            agent = name
        case "run":
            guard let id = RunID(try Self.text(field, value)) else {
                throw .invalidArgument(#""run" has to be a UUID of version 7."#)
            }
            run = id
        case "channel":
            guard let known = Question.Channel(rawValue: try Self.text(field, value)) else {
                let names = Question.Channel.allCases.map(\.rawValue).joined(separator: ", ")
                throw .invalidArgument(#""channel" has to be one of \#(names)."#)
            }
            channel = known
        default:
            // A misspelt field would otherwise be a wish that is silently not met.
            let name = field.count <= 40 ? field : field.prefix(40) + "…"
            throw .invalidArgument(
                #"There is no field "\#(name)": a question has "question", "reader", "agent", "run" and "channel"."#
            )
        }
    }

    private static func members(of bytes: ByteBuffer) throws(ServiceError) -> [(key: String, value: JSON)] {
        let body: JSON
        do throws(ProtocolViolation) {
            body = try JSON(validating: onOneLine(bytes))
        } catch {
            throw .invalidArgument("The body is not valid JSON: \(error.detail).")
        }
        guard let members = body.members else {
            throw .invalidArgument("The body has to be a JSON object, not \(kind(of: body)).")
        }
        return members
    }

    /// People send JSON over several lines; on the wire it has to be one. White space other than spaces stands between
    /// JSON's tokens only, so that this changes no value.
    private static func onOneLine(_ body: ByteBuffer) -> ByteBuffer {
        ByteBuffer(bytes: body.readableBytesView.map { [0x09, 0x0A, 0x0D].contains($0) ? 0x20 : $0 })
    }

    private static func text(_ field: String, _ value: JSON) throws(ServiceError) -> String {
        guard let text = value.string else {
            throw .invalidArgument(#""\#(field)" has to be a string, not \#(kind(of: value))."#)
        }
        return text
    }

    private static func kind(of value: JSON) -> String {
        switch value.bytes.readableBytesView.first {
        case UInt8(ascii: "{"): "an object"
        case UInt8(ascii: "["): "an array"
        case UInt8(ascii: "\""): "a string"
        case UInt8(ascii: "t"), UInt8(ascii: "f"): "a boolean"
        case UInt8(ascii: "n"): "null"
        default: "a number"
        }
    }
}
