public import FoundationEssentials
public import NIOCore

/// One JSON value, kept as its text.
///
/// What is only passed on is never decoded: a call's arguments, an answer, Postgres' `jsonb` text are slices of the
/// buffer they came in. Two values are equal when their texts are.
public struct JSON: Sendable, Equatable, CustomStringConvertible {
    /// The text, UTF-8.
    public let bytes: ByteBuffer

    /// A value from elsewhere, checked as strictly as a payload (no white space but spaces, no key twice, no U+0000 …).
    /// - Throws: `ProtocolViolation`.
    public init(validating text: ByteBuffer) throws(ProtocolViolation) {
        _ = try JSONScanner.members(of: text)
        bytes = text
    }

    /// As above, from a string.
    /// - Throws: `ProtocolViolation`.
    public init(validating text: String) throws(ProtocolViolation) {
        try self.init(validating: ByteBuffer(string: text))
    }

    /// The value's encoding. U+0000 in a text may not travel, and becomes U+FFFD: what tools and models say may hold it. What else
    /// `Codable` lets through and the wire does not is refused here, so that nothing unlawful ever leaves the process.
    /// - Throws: `ProtocolViolation`, or the `EncodingError` of the value.
    public init(encoding value: some Encodable) throws {
        if let text = ObjectEncoder.encode(value) {
            self = text
            return
        }
        let data = try JSON.encoder.encode(value)
        self = try Self.validated(data) ?? JSON(validating: ByteBuffer(bytes: AnyValue.cleaned(data)))
    }

    /// Nil for text that holds U+0000.
    private static func validated(_ data: Data) throws -> JSON? {
        do {
            return try JSON(validating: ByteBuffer(bytes: data))
        } catch  where error.reason == .nulCharacter {
            return nil
        }
    }

    /// Text that is known to be one JSON value on one line, and is not checked again: what Postgres gives as `jsonb`
    /// (which has no U+0000, no key twice and no control octets), or what came out of another `JSON`.
    public init(trusted text: ByteBuffer) {
        bytes = text
    }

    /// As above, from a string.
    public init(trusted text: String) {
        bytes = ByteBuffer(string: text)
    }

    /// `null`
    public static let null = JSON(trusted: "null")
    /// `{}`
    public static let emptyObject = JSON(trusted: "{}")

    /// The value as a type.
    /// - Throws: `DecodingError`.
    public func decode<T: Decodable>(_ type: T.Type = T.self) throws -> T {
        try ObjectDecoder.decode(type, from: self)
            ?? JSON.decoder.decode(type, from: bytes.withUnsafeReadableBytes { Data($0) })
    }

    /// The value of an object's member, as a slice; nil when there is none, or this is not an object.
    public func member(_ key: String) -> JSON? { JSONScanner.value(of: key, in: bytes).map(slice) }

    /// The text.
    public var description: String { String(buffer: bytes) }

    /// Whether it is an object.
    public var isObject: Bool { bytes.readableBytesView.first == UInt8(ascii: "{") }
}

// Reading small things without a decoder.
extension JSON {
    /// The members of an object as slices, in their order; nil when this is not one.
    public var members: [(key: String, value: JSON)]? {
        JSONScanner.outline(of: bytes)?.map { ($0.key, slice($0.value)) }
    }

    /// The elements of an array as slices; nil when this is none.
    public var elements: [JSON]? { JSONScanner.elements(of: bytes)?.map(slice) }

    /// An array of values, each written as it stands.
    public init(array values: [JSON]) {
        var text = ByteBufferAllocator().buffer(capacity: values.reduce(2) { $0 + $1.bytes.readableBytes + 1 })
        text.writeStaticString("[")
        for (index, value) in values.enumerated() {
            if index > 0 { text.writeStaticString(",") }
            text.writeImmutableBuffer(value.bytes)
        }
        text.writeStaticString("]")
        bytes = text
    }

    /// An object of members in this order, each value written as it stands. The names must differ.
    public init(object members: KeyValuePairs<StaticString, JSON>) {
        var text = ByteBufferAllocator().buffer(capacity: members.reduce(2) { $0 + $1.value.bytes.readableBytes + 32 })
        for (index, member) in members.enumerated() {
            text.writeStaticString(index == 0 ? "{\"" : ",\"")
            text.writeStaticString(member.key)
            text.writeStaticString("\":")
            text.writeImmutableBuffer(member.value.bytes)
        }
        text.writeStaticString(members.isEmpty ? "{}" : "}")
        bytes = text
    }

    /// A string. U+0000 may not travel, and becomes U+FFFD.
    public init(string: String) {
        var text = ByteBuffer()
        text.writeJSONString(string)
        bytes = text
    }

    /// A part of the text.
    func slice(_ range: Range<Int>) -> JSON {
        // The scanner's ranges lie within the text, so there always is such a slice.
        JSON(trusted: bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer())
    }

    /// An integer, written without fraction or exponent, within ±(2^53 − 1); nil when this is none.
    public var integer: Int? {
        let view = bytes.readableBytesView
        guard view.count <= 17, let value = Int(String(decoding: view, as: UTF8.self)),
            abs(value) <= Limits.largestID
        else { return nil }
        return value
    }

    /// A number; nil when this is none, or so large or so small that a `Double` would be none, or zero.
    var number: Double? {
        let view = bytes.readableBytesView
        guard let first = view.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first),
            let value = Double(String(decoding: view, as: UTF8.self)), value.isFinite
        else { return nil }
        let mantissa = view.prefix { $0 | 0x20 != UInt8(ascii: "e") }
        return value == 0 && mantissa.contains { (0x31...0x39).contains($0) } ? nil : value
    }

    /// A truth; nil when this is none.
    public var bool: Bool? {
        switch bytes.readableBytes {
        case 4 where bytes.readableBytesView.elementsEqual("true".utf8): true
        case 5 where bytes.readableBytesView.elementsEqual("false".utf8): false
        default: nil
        }
    }

    /// A string's characters; nil when this is none.
    public var string: String? {
        let view = bytes.readableBytesView
        guard view.count >= 2, view.first == UInt8(ascii: "\"") else { return nil }
        let inside = view.dropFirst().dropLast()
        guard inside.contains(UInt8(ascii: "\\")) else { return String(decoding: inside, as: UTF8.self) }
        return String(decoding: JSONScanner.unescape(inside), as: UTF8.self)
    }
}

// Points in time travel as RFC 3339 in UTC with milliseconds; Postgres' own form of it is read as well.
extension JSON {
    /// The one encoder. It is never changed after this, so that all threads may use it.
    public static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        // Sorted, so that the same value is the same text in every process.
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(text(of: date))
        }
        return encoder
    }()

    /// The one decoder. It is never changed after this, so that all threads may use it.
    public static let decoder: JSONDecoder = {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            if let date = time(try container.decode(String.self)) { return date }
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a time of RFC 3339")
        }
        return decoder
    }()

    static func text(of time: Date) -> String { finely.format(time) }

    /// Nil for what is none.
    static func time(_ text: String) -> Date? { (try? finely.parse(text)) ?? (try? coarsely.parse(text)) }

    private static let finely = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    private static let coarsely = Date.ISO8601FormatStyle()
}
