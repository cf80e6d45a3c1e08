extension Int64: PostgresEncodable, PostgresDecodable {
    /// `int8`.
    public static var postgresType: PostgresType { .int8 }

    /// Writes 8 bytes.
    public func encode(into buffer: inout ParameterBuffer) throws(PostgresError) -> ParameterPresence {
        buffer.write(self)
        return .present
    }

    /// Reads `int8`, `int4` or `int2`.
    public init(from cell: Cell) throws(PostgresError) {
        switch cell.type {
        case .int8: self = try cell.integer(Int64.self)
        case .int4: self = Int64(try cell.integer(Int32.self))
        case .int2: self = Int64(try cell.integer(Int16.self))
        default: throw cell.mismatch(Int64.self)
        }
    }
}

extension Int: PostgresEncodable, PostgresDecodable {
    /// `int8`.
    public static var postgresType: PostgresType { .int8 }

    /// Writes 8 bytes.
    public func encode(into buffer: inout ParameterBuffer) throws(PostgresError) -> ParameterPresence {
        try Int64(self).encode(into: &buffer)
    }

    /// Reads `int8`, `int4` or `int2`.
    public init(from cell: Cell) throws(PostgresError) {
        self = Int(try Int64(from: cell))
    }
}

extension Int32: PostgresEncodable, PostgresDecodable {
    /// `int4`.
    public static var postgresType: PostgresType { .int4 }

    /// Writes 4 bytes.
    public func encode(into buffer: inout ParameterBuffer) throws(PostgresError) -> ParameterPresence {
        buffer.write(self)
        return .present
    }

    /// Reads `int4` or `int2`; an `int8` might not fit.
    public init(from cell: Cell) throws(PostgresError) {
        switch cell.type {
        case .int4: self = try cell.integer(Int32.self)
        case .int2: self = Int32(try cell.integer(Int16.self))
        default: throw cell.mismatch(Int32.self)
        }
    }
}

extension Double: PostgresEncodable, PostgresDecodable {
    /// `float8`.
    public static var postgresType: PostgresType { .float8 }

    /// Writes 8 bytes.
    public func encode(into buffer: inout ParameterBuffer) throws(PostgresError) -> ParameterPresence {
        buffer.write(bitPattern)
        return .present
    }

    /// Reads `float8` or `float4`. A `numeric` needs a cast in the SQL, since it may hold more than a double.
    public init(from cell: Cell) throws(PostgresError) {
        switch cell.type {
        case .float8: self = Double(bitPattern: try cell.integer(UInt64.self))
        case .float4: self = Double(Float(bitPattern: try cell.integer(UInt32.self)))
        default: throw cell.mismatch(Double.self)
        }
    }
}

extension Bool: PostgresEncodable, PostgresDecodable {
    /// `bool`.
    public static var postgresType: PostgresType { .bool }

    /// Writes one byte.
    public func encode(into buffer: inout ParameterBuffer) throws(PostgresError) -> ParameterPresence {
        buffer.write(UInt8(self ? 1 : 0))
        return .present
    }

    /// Reads `bool`.
    public init(from cell: Cell) throws(PostgresError) {
        guard cell.type == .bool else { throw cell.mismatch(Bool.self) }
        self = try cell.integer(UInt8.self) != 0
    }
}
