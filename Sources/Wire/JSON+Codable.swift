internal import FoundationEssentials
internal import NIOCore

/// A `JSON` may be a member of a `Codable` type. `Codable` cannot pass text through, so it is taken apart and put together
/// again: right, but slow, and numbers keep only the precision of `Int` or `Double`. Where a whole result is JSON already,
/// let it pass as `JSON` instead.
extension JSON: Codable {
    /// Reads any value.
    public init(from decoder: any Decoder) throws {
        try self.init(encoding: AnyValue(from: decoder))
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        try decode(AnyValue.self).encode(to: encoder)
    }
}

/// Any JSON value, decoded.
enum AnyValue: Codable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([AnyValue])
    case object([String: AnyValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([AnyValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: AnyValue].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(Self.withoutNUL(value))
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// The same JSON with U+FFFD in place of each U+0000.
    static func cleaned(_ data: Data) throws -> Data {
        try JSON.encoder.encode(JSON.decoder.decode(AnyValue.self, from: data))
    }

    private static func withoutNUL(_ text: String) -> String {
        guard text.utf8.contains(0) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value == 0 ? "\u{FFFD}" : $0 }))
    }
}
