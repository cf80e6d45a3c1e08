import Hummingbird
import NIOCore
import Wire

/// The body of a request that is a JSON object, for reading it member by member: so whoever wrote it is told which one is
/// wrong and why.
struct JSONBody {
    /// The members that are not null, as they were written.
    let members: [(field: String, value: JSON)]

    /// - Parameter example: a body as it has to be, for whoever sends none.
    init(_ bytes: ByteBuffer, example: String) throws(ServiceError) {
        guard bytes.readableBytes > 0 else {
            throw .invalidArgument("The body is empty: it has to be JSON like \(example).")
        }
        let body: JSON
        do throws(ProtocolViolation) {
            body = try JSON(validating: Self.onOneLine(bytes))
        } catch {
            throw .invalidArgument("The body is not valid JSON: \(error.detail).")
        }
        guard let members = body.members else {
            throw .invalidArgument("The body has to be a JSON object, not \(Self.kind(of: body)).")
        }
        self.members = members.filter { $0.value != .null }.map { ($0.key, $0.value) }
    }

    /// What a request brings, when it is called JSON and arrives in time.
    static func bytes(of request: Request, limits: HTTPLimits) async throws -> ByteBuffer {
        guard isJSON(request.headers[.contentType]) else { throw HTTPRefusal.mediaType }
        return try await request.body.collect(upTo: limits.bodyBytes)
    }

    static func text(_ field: String, _ value: JSON) throws(ServiceError) -> String {
        guard let text = value.string else {
            throw .invalidArgument(#""\#(field)" has to be a string, not \#(kind(of: value))."#)
        }
        return text
    }

    static func text(_ field: String, _ value: JSON, characters: ClosedRange<Int>) throws(ServiceError) -> String {
        let text = try text(field, value)
        let count = text.unicodeScalars.count
        guard characters.contains(count) else {
            let range = "\(characters.lowerBound) to \(characters.upperBound)"
            throw .invalidArgument(#""\#(field)" has to have \#(range) characters, not \#(count)."#)
        }
        return text
    }

    static func id(_ field: String, _ value: JSON) throws(ServiceError) -> Int {
        guard let id = value.integer, id > 0 else {
            throw .invalidArgument(#""\#(field)" has to be an id, a whole number from 1; not \#(given(value))."#)
        }
        return id
    }

    static func integer(_ field: String, _ value: JSON, range: ClosedRange<Int>) throws(ServiceError) -> Int {
        guard let number = value.integer, range.contains(number) else {
            let limit = "from \(range.lowerBound) to \(range.upperBound)"
            throw .invalidArgument(#""\#(field)" has to be a whole number \#(limit), not \#(given(value))."#)
        }
        return number
    }

    /// A number as it was written, anything else by its kind.
    private static func given(_ value: JSON) -> String {
        let kind = kind(of: value)
        return kind == "a number" ? String(value.description.prefix(20)) : kind
    }

    /// A misspelt field would otherwise be a wish that is silently not met.
    static func unknown(_ field: String, of thing: String, known: [String]) -> ServiceError {
        let name = field.count <= 40 ? field : field.prefix(40) + "…"
        let names = known.map { #""\#($0)""# }
        let all = names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
        return .invalidArgument(#"There is no field "\#(name)": \#(thing) has \#(all)."#)
    }

    static func missing(_ field: String, example: String) -> ServiceError {
        .invalidArgument(#""\#(field)" is missing: the body has to be like \#(example)."#)
    }

    /// Only JSON by its name: a page elsewhere can make a browser send anything else to whatever it may reach.
    private static func isJSON(_ contentType: String?) -> Bool {
        guard let contentType else { return true }
        let name = contentType.prefix { $0 != ";" }.trimmed.lowercased()
        return name == "application/json" || (name.hasPrefix("application/") && name.hasSuffix("+json"))
    }

    /// People send JSON over several lines; on the wire it has to be one. White space other than spaces stands between
    /// JSON's tokens only, so that this changes no value.
    static func onOneLine(_ body: ByteBuffer) -> ByteBuffer {
        ByteBuffer(bytes: body.readableBytesView.map { [0x09, 0x0A, 0x0D].contains($0) ? 0x20 : $0 })
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
