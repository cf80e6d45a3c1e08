import CLibPQ

/// The parameters of a statement: all of them in binary format with an explicit length, in one buffer.
///
/// Text is sent in binary format too: in text format libpq cuts it at the first NUL without a word.
struct Parameters: Sendable {
    /// All parameters of a statement together. Postgres refuses a field over 1 GB, and libpq keeps its own copy of what
    /// it sends; whoever has more than this at once wants COPY or large objects.
    static let maximumBytes = 64 << 20
    /// The protocol counts parameters in 16 bits.
    static let maximumCount = 65_535

    private var bytes: [UInt8] = []
    private var offsets: [Int] = []
    private var lengths: [Int32] = []
    private(set) var types: [Oid] = []
    /// The first value that could not be encoded: an interpolation cannot throw, so the statement does when it is sent.
    private(set) var refusal: PostgresError?

    var count: Int { types.count }
    var byteCount: Int { bytes.count }

    /// Makes room for so many small ones at once: four lists that grow one by one are most of what a short statement allocates.
    mutating func reserve(_ count: Int) {
        bytes.reserveCapacity(16 * count)
        offsets.reserveCapacity(count)
        lengths.reserveCapacity(count)
        types.reserveCapacity(count)
    }

    mutating func append<Value: PostgresEncodable>(_ value: Value) {
        var buffer = ParameterBuffer(bytes: bytes)
        bytes = []
        let offset = buffer.bytes.count
        do throws(PostgresError) {
            let isNull = try value.encode(into: &buffer) == .null
            lengths.append(isNull ? -1 : Int32(clamping: buffer.bytes.count - offset))
        } catch {
            refusal = refusal ?? error
            lengths.append(-1)
        }
        // An empty value gets an address inside the buffer all the same: to libpq no address means NULL.
        if buffer.bytes.count == offset { buffer.write(UInt8(0)) }
        bytes = buffer.bytes
        offsets.append(offset)
        types.append(Value.postgresType.rawValue)
        if count > Self.maximumCount || byteCount > Self.maximumBytes {
            refusal = refusal ?? PostgresError(.invalidParameter, "more than 65535 parameters or 64 MiB of them")
        }
    }

    /// These with another value at one place.
    func replacing<Value: PostgresEncodable>(_ place: Int, with value: Value) -> Parameters {
        var replaced = Parameters()
        for index in 0..<count {
            guard index != place else {
                replaced.append(value)
                continue
            }
            replaced.offsets.append(replaced.bytes.count)
            replaced.bytes += encoding(index)
            replaced.lengths.append(lengths[index])
            replaced.types.append(types[index])
        }
        replaced.refusal = replaced.refusal ?? refusal
        return replaced
    }

    /// Whether nothing but the value at one place differs.
    func equal(_ other: Parameters, besides place: Int) -> Bool {
        types == other.types
            && (0..<count).allSatisfy { index in
                index == place
                    || lengths[index] == other.lengths[index] && encoding(index).elementsEqual(other.encoding(index))
            }
    }

    /// The bytes of a value; one that stands for nothing when it is empty or null.
    private func encoding(_ index: Int) -> ArraySlice<UInt8> {
        bytes[offsets[index]..<(index + 1 < count ? offsets[index + 1] : bytes.count)]
    }

    /// Gives the arrays in the form libpq wants. The pointers live until `body` returns.
    func withPointers<Result>(_ body: (LibPQParameters) -> Result) -> Result {
        bytes.withUnsafeBytes { buffer in
            let base = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            return body(
                LibPQParameters(
                    count: Int32(count),
                    types: types,
                    values: zip(offsets, lengths).map { offset, length in length < 0 ? nil : base?.advanced(by: offset)
                    },
                    lengths: lengths,
                    formats: [Int32](repeating: 1, count: count)
                )
            )
        }
    }
}

/// The five arguments that every sending call of libpq takes.
struct LibPQParameters {
    let count: Int32
    let types: [Oid]
    let values: [UnsafePointer<CChar>?]
    let lengths: [Int32]
    let formats: [Int32]
}
