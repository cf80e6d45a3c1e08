public import FoundationEssentials

extension UUID: PostgresEncodable, PostgresDecodable {
    /// `uuid`.
    public static var postgresType: PostgresType { .uuid }

    /// Writes 16 bytes.
    public func encode(into buffer: inout ParameterBuffer) throws(PostgresError) -> ParameterPresence {
        withUnsafeBytes(of: uuid) { buffer.write(bytes: $0) }
        return .present
    }

    /// Reads `uuid`.
    public init(from cell: Cell) throws(PostgresError) {
        guard cell.type == .uuid, cell.bytes.count == 16 else { throw cell.mismatch(UUID.self) }
        self.init(uuid: cell.bytes.loadUnaligned(as: uuid_t.self))
    }
}
