/// Where a value writes its binary form.
public struct ParameterBuffer: Sendable {
    var bytes: [UInt8]

    init(bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    /// Adds an integer in network byte order.
    public mutating func write<Integer: FixedWidthInteger>(_ integer: Integer) {
        withUnsafeBytes(of: integer.bigEndian) { bytes.append(contentsOf: $0) }
    }

    /// Adds bytes as they are.
    public mutating func write(bytes more: some Collection<UInt8>) {
        bytes.append(contentsOf: more)
    }

    /// Adds UTF-8 text. Throws `invalidParameter` for a NUL, which Postgres cannot store.
    public mutating func write(text: String) throws(PostgresError) {
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        guard !bytes[start...].contains(0) else {
            throw PostgresError(.invalidParameter, "a text contains U+0000, which Postgres cannot store")
        }
    }

    /// Adds what `body` writes, after its length in four bytes, or the length -1 when it writes a null.
    mutating func writeCounted(
        _ body: (inout ParameterBuffer) throws(PostgresError) -> ParameterPresence
    ) throws(PostgresError) {
        let start = bytes.count
        write(Int32(0))
        let isNull = try body(&self) == .null
        let length = isNull ? -1 : Int32(clamping: bytes.count - start - 4)
        withUnsafeBytes(of: length.bigEndian) { bytes.replaceSubrange(start..<start + 4, with: $0) }
    }
}
