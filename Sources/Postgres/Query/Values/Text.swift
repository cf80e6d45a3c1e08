extension String: PostgresEncodable, PostgresDecodable {
    /// `text`.
    public static var postgresType: PostgresType { .text }

    /// Writes UTF-8. Throws `invalidParameter` for a text with a NUL.
    public func encode(into buffer: inout ParameterBuffer) throws(PostgresError) -> ParameterPresence {
        try buffer.write(text: self)
        return .present
    }

    /// Reads any type whose binary form is text: `text`, `varchar`, `char(n)`, `name`, `json`, `jsonb` and enums.
    public init(from cell: Cell) throws(PostgresError) {
        let bytes: UnsafeRawBufferPointer
        switch cell.type {
        case .text, .varchar, .bpchar, .name, .json, .char, .unknown: bytes = cell.bytes
        case .jsonb: bytes = try cell.jsonText()
        case let type where type.isUserDefined: bytes = cell.bytes
        default: throw cell.mismatch(String.self)
        }
        // Composite types and ranges are user-defined too, and their binary form is not text.
        guard let text = String(validating: bytes, as: UTF8.self) else { throw cell.mismatch(String.self) }
        self = text
    }
}

/// A JSON document as bytes, neither parsed nor checked on this side: `jsonb` as a parameter, `json` or `jsonb` as a
/// column. What is not JSON, the server refuses.
public struct PostgresJSON: PostgresValue, Hashable {
    /// The document in UTF-8.
    public var bytes: [UInt8]

    /// A document from UTF-8 bytes.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// A document from a string.
    public init(_ text: String) {
        bytes = Array(text.utf8)
    }

    /// `jsonb`.
    public static var postgresType: PostgresType { .jsonb }

    /// Writes version 1 of jsonb's binary form, which is the text behind one byte.
    public func encode(into buffer: inout ParameterBuffer) throws(PostgresError) -> ParameterPresence {
        guard !bytes.contains(0) else {
            throw PostgresError(.invalidParameter, "a JSON document contains a NUL byte")
        }
        buffer.write(UInt8(1))
        buffer.write(bytes: bytes)
        return .present
    }

    /// Reads `json` or `jsonb`.
    public init(from cell: Cell) throws(PostgresError) {
        bytes = Array(try cell.jsonText())
    }
}

extension Cell {
    /// The text of a `json` or `jsonb` value.
    func jsonText() throws(PostgresError) -> UnsafeRawBufferPointer {
        switch type {
        case .json: return bytes
        case .jsonb where bytes.first == 1: return UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
        default: throw mismatch(PostgresJSON.self)
        }
    }
}
