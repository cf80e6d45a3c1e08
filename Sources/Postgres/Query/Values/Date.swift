public import FoundationEssentials

extension Date: PostgresEncodable, PostgresDecodable {
    /// How many seconds `Date` begins to count after Postgres: from 2000-01-01 to 2001-01-01, both 00:00 UTC.
    private static let offset: Int64 = 366 * 86_400

    /// `timestamptz`. A `timestamp` without time zone is no point in time and therefore neither written nor read.
    public static var postgresType: PostgresType { .timestamptz }

    /// Writes microseconds, rounded. Throws `invalidParameter` outside of what Postgres can hold (4713 BC to 294276).
    public func encode(into buffer: inout ParameterBuffer) throws(PostgresError) -> ParameterPresence {
        let seconds = timeIntervalSinceReferenceDate + Double(Self.offset)
        guard let microseconds = Int64(exactly: (seconds * 1e6).rounded()),
            (-211_813_488_000_000_000..<9_223_371_331_200_000_000).contains(microseconds)
        else { throw PostgresError(.invalidParameter, "a date is outside of what timestamptz can hold") }
        buffer.write(microseconds)
        return .present
    }

    /// Reads `timestamptz`. Throws `undecodable` for `infinity`.
    public init(from cell: Cell) throws(PostgresError) {
        guard cell.type == .timestamptz else { throw cell.mismatch(Date.self) }
        let microseconds = try cell.integer(Int64.self)
        guard microseconds != .max, microseconds != .min else {
            throw PostgresError(.undecodable, "a timestamptz is infinite")
        }
        // Whole seconds apart from the fraction: a division of the whole would lose the last microsecond.
        let (seconds, fraction) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        let whole = seconds - Self.offset
        // Both of one sign, so that nothing cancels out.
        let borrowed: Int64 = whole < 0 && fraction > 0 ? 1 : 0
        self.init(
            timeIntervalSinceReferenceDate: Double(whole + borrowed) + Double(fraction - borrowed * 1_000_000) / 1e6
        )
    }
}
