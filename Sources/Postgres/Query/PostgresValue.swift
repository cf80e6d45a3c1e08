/// Whether a parameter was written or is NULL.
public enum ParameterPresence: Sendable {
    case present
    case null
}

/// A value that can be a parameter.
public protocol PostgresEncodable: Sendable {
    /// The type the parameter is declared as. Where a column has another type, Postgres converts as in an assignment or
    /// comparison; an enum needs a cast in the SQL (`\(state)::run_state`).
    static var postgresType: PostgresType { get }

    /// Writes the binary form. Throws `invalidParameter` for a value Postgres has no form for.
    func encode(into buffer: inout ParameterBuffer) throws(PostgresError) -> ParameterPresence
}

/// A value that can be read from a column.
public protocol PostgresDecodable: Sendable {
    /// Reads the binary form. Throws `undecodable` when the column has another type.
    init(from cell: Cell) throws(PostgresError)

    /// The value for NULL. Throws `undecodable` unless the type is optional.
    static func null() throws(PostgresError) -> Self
}

extension PostgresDecodable {
    /// NULL is refused: read an optional where the column may be null.
    public static func null() throws(PostgresError) -> Self {
        throw PostgresError(.undecodable, "the column is null; read it as an optional \(Self.self)")
    }
}

/// A value that can be both.
public typealias PostgresValue = PostgresEncodable & PostgresDecodable

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    /// The type of the wrapped value, so that a null has a type too.
    public static var postgresType: PostgresType { Wrapped.postgresType }

    /// Writes the value, or nothing for NULL.
    public func encode(into buffer: inout ParameterBuffer) throws(PostgresError) -> ParameterPresence {
        guard let self else { return .null }
        return try self.encode(into: &buffer)
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    /// Reads the wrapped value.
    public init(from cell: Cell) throws(PostgresError) {
        self = .some(try Wrapped(from: cell))
    }

    /// nil.
    public static func null() throws(PostgresError) -> Self { nil }
}

/// The bytes of one value that is not NULL, and their type. Valid only during the call it is given to.
public struct Cell {
    /// The type of the column, or of the array's elements.
    public let type: PostgresType
    /// The binary form.
    public let bytes: UnsafeRawBufferPointer

    /// Reads the bytes as one integer in network byte order. Throws when they are of another size.
    public func integer<Integer: FixedWidthInteger>(_: Integer.Type) throws(PostgresError) -> Integer {
        guard bytes.count == MemoryLayout<Integer>.size else { throw mismatch(Integer.self) }
        return Integer(bigEndian: bytes.loadUnaligned(as: Integer.self))
    }

    /// The error for a column that does not hold what was asked for.
    public func mismatch(_ wanted: Any.Type) -> PostgresError {
        PostgresError(.undecodable, "a column of the type with OID \(type.rawValue) cannot be read as \(wanted)")
    }
}
