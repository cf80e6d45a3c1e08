public import FoundationEssentials

/// A type that arrays can be made of. It decides what an array of it is to Postgres, so that `[UInt8]` can be a `bytea`
/// and not an array at all.
public protocol PostgresArrayElement: PostgresValue {
    /// The type of an array of these.
    static var postgresArrayType: PostgresType { get }

    /// Writes an array.
    static func encode(_ array: [Self], into buffer: inout ParameterBuffer) throws(PostgresError)

    /// Reads an array.
    static func decodeArray(from cell: Cell) throws(PostgresError) -> [Self]
}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    /// The element's array type.
    public static var postgresType: PostgresType { Element.postgresArrayType }

    /// Writes all elements.
    public func encode(into buffer: inout ParameterBuffer) throws(PostgresError) -> ParameterPresence {
        try Element.encode(self, into: &buffer)
        return .present
    }
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
    /// Reads an array of one dimension without nulls.
    public init(from cell: Cell) throws(PostgresError) {
        self = try Element.decodeArray(from: cell)
    }
}

extension PostgresArrayElement {
    /// One dimension from 1: its count (no dimension at all when empty), then each element behind its length.
    public static func encode(_ array: [Self], into buffer: inout ParameterBuffer) throws(PostgresError) {
        buffer.write(Int32(array.isEmpty ? 0 : 1))
        buffer.write(Int32(0))
        buffer.write(postgresType.rawValue)
        guard !array.isEmpty else { return }
        buffer.write(Int32(clamping: array.count))
        buffer.write(Int32(1))
        for element in array {
            try buffer.writeCounted { (buffer) throws(PostgresError) in try element.encode(into: &buffer) }
        }
    }

    /// Reads one dimension; more than one, or a null among the elements, is refused.
    public static func decodeArray(from cell: Cell) throws(PostgresError) -> [Self] {
        var reader = ArrayReader(rest: cell.bytes)
        guard let dimensions = reader.integer(), reader.integer() != nil, let type = reader.integer() else {
            throw cell.mismatch([Self].self)
        }
        guard dimensions > 0 else { return [] }
        guard dimensions == 1, let count = reader.integer(), reader.integer() != nil,
            (0...reader.rest.count / 4).contains(Int(count))
        else {
            throw cell.mismatch([Self].self)
        }
        var array: [Self] = []
        array.reserveCapacity(Int(count))
        for _ in 0..<count {
            guard let bytes = reader.element() else { throw cell.mismatch([Self].self) }
            array.append(try Self(from: Cell(type: PostgresType(rawValue: UInt32(bitPattern: type)), bytes: bytes)))
        }
        return array
    }
}

private struct ArrayReader {
    var rest: UnsafeRawBufferPointer

    mutating func integer() -> Int32? {
        guard rest.count >= 4 else { return nil }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(4)) }
        return Int32(bigEndian: rest.loadUnaligned(as: Int32.self))
    }

    /// The next element; nil for a null or when the bytes end.
    mutating func element() -> UnsafeRawBufferPointer? {
        guard let length = integer(), length >= 0, rest.count >= length else { return nil }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(Int(length))) }
        return UnsafeRawBufferPointer(rebasing: rest.prefix(Int(length)))
    }
}

extension UInt8: PostgresArrayElement {
    /// `"char"`, a single byte.
    public static var postgresType: PostgresType { .char }
    /// `bytea`: an array of bytes is a byte string.
    public static var postgresArrayType: PostgresType { .bytea }

    /// Writes the byte.
    public func encode(into buffer: inout ParameterBuffer) throws(PostgresError) -> ParameterPresence {
        buffer.write(self)
        return .present
    }

    /// Reads `"char"`.
    public init(from cell: Cell) throws(PostgresError) {
        guard cell.type == .char else { throw cell.mismatch(UInt8.self) }
        self = try cell.integer(UInt8.self)
    }

    /// Writes the bytes as they are.
    public static func encode(_ array: [UInt8], into buffer: inout ParameterBuffer) throws(PostgresError) {
        buffer.write(bytes: array)
    }

    /// Reads `bytea`.
    public static func decodeArray(from cell: Cell) throws(PostgresError) -> [UInt8] {
        guard cell.type == .bytea else { throw cell.mismatch([UInt8].self) }
        return Array(cell.bytes)
    }
}

extension String: PostgresArrayElement {
    /// `text[]`.
    public static var postgresArrayType: PostgresType { .textArray }
}

extension Int64: PostgresArrayElement {
    /// `int8[]`.
    public static var postgresArrayType: PostgresType { .int8Array }
}

extension Int: PostgresArrayElement {
    /// `int8[]`.
    public static var postgresArrayType: PostgresType { .int8Array }
}

extension Int32: PostgresArrayElement {
    /// `int4[]`.
    public static var postgresArrayType: PostgresType { .int4Array }
}

extension Double: PostgresArrayElement {
    /// `float8[]`.
    public static var postgresArrayType: PostgresType { .float8Array }
}

extension Bool: PostgresArrayElement {
    /// `bool[]`.
    public static var postgresArrayType: PostgresType { .boolArray }
}

extension UUID: PostgresArrayElement {
    /// `uuid[]`.
    public static var postgresArrayType: PostgresType { .uuidArray }
}

extension Date: PostgresArrayElement {
    /// `timestamptz[]`.
    public static var postgresArrayType: PostgresType { .timestamptzArray }
}

extension PostgresJSON: PostgresArrayElement {
    /// `jsonb[]`.
    public static var postgresArrayType: PostgresType { .jsonbArray }
}
