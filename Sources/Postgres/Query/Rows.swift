/// The result of one statement, held in the memory libpq read it into. Reading a value copies only that value.
public struct Rows: Sendable, RandomAccessCollection {
    let result: ResultHandle
    /// Which rows of the result are meant; nil for all of them.
    let places: [Int]?

    init(result: ResultHandle, places: [Int]? = nil) {
        self.result = result
        self.places = places
    }

    /// 0.
    public var startIndex: Int { 0 }
    /// The number of rows.
    public var endIndex: Int { places?.count ?? result.rowCount }

    /// One row. The index must lie within the collection.
    public subscript(position: Int) -> Row {
        precondition(indices.contains(position), "row \(position) of \(count)")
        return Row(result: result, index: places?[position] ?? position)
    }

    /// How many columns there are.
    public var columnCount: Int { result.columnCount }
    /// The names of the columns.
    public var columns: [String] { (0..<result.columnCount).map(result.columnName) }

    /// How many rows the statement inserted, updated, deleted or selected.
    public var affected: Int { places?.count ?? result.affectedRows }
}

/// One row.
public struct Row: Sendable {
    let result: ResultHandle
    let index: Int

    /// Reads a column by name. Throws `undecodable` when there is none, when it is null and the type is not optional, or
    /// when it holds another type.
    public subscript<Value: PostgresDecodable>(_ name: String, as type: Value.Type) -> Value {
        get throws(PostgresError) { try value(column(name), as: type) }
    }

    /// Reads a column by its place, from 0. Throws as by name.
    public subscript<Value: PostgresDecodable>(_ column: Int, as type: Value.Type) -> Value {
        get throws(PostgresError) { try value(check(column), as: type) }
    }

    /// The bytes of a column as Postgres sent them, from 0: those of a `json` or `jsonb` are its text, those of any other
    /// type its binary form. Throws `undecodable` when there is no such column or it is null.
    public func bytes(_ column: Int) throws(PostgresError) -> [UInt8] {
        try withUnsafeBytes(column) { Array($0) }
    }

    /// As `bytes(_:)`, by name.
    public func bytes(_ name: String) throws(PostgresError) -> [UInt8] {
        try bytes(column(name))
    }

    /// As `bytes(_:)`, without a copy. The bytes are valid until `body` returns.
    public func withUnsafeBytes<Value>(
        _ column: Int,
        _ body: (UnsafeRawBufferPointer) -> Value
    ) throws(PostgresError) -> Value {
        let type = result.columnType(try check(column))
        guard let bytes = result.value(row: index, column: column) else {
            throw PostgresError(.undecodable, "the column is null")
        }
        let cell = Cell(type: type, bytes: bytes)
        let content = type == .jsonb ? try cell.jsonText() : bytes
        // The bytes belong to the result, which must outlive the call.
        return withExtendedLifetime(result) { body(content) }
    }

    /// Whether a column is null. Throws `undecodable` when there is no such column.
    public func isNull(_ column: Int) throws(PostgresError) -> Bool {
        result.value(row: index, column: try check(column)) == nil
    }

    private func value<Value: PostgresDecodable>(_ column: Int, as: Value.Type) throws(PostgresError) -> Value {
        guard let bytes = result.value(row: index, column: column) else { return try Value.null() }
        defer { withExtendedLifetime(result) {} }
        return try Value(from: Cell(type: result.columnType(column), bytes: bytes))
    }

    private func column(_ name: String) throws(PostgresError) -> Int {
        guard let column = result.column(named: name) else {
            throw PostgresError(.undecodable, "the result has no column \(name)")
        }
        return column
    }

    private func check(_ column: Int) throws(PostgresError) -> Int {
        guard column >= 0, column < result.columnCount else {
            throw PostgresError(.undecodable, "the result has no column \(column)")
        }
        return column
    }
}
