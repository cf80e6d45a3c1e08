public import FoundationEssentials
public import Wire

/// A run's identity, made by who asks: UUID version 7 (RFC 9562), so that ids sort by time, and a retry is the same run.
public struct RunID: Codable, Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The UUID.
    public let uuid: UUID

    private init(_ uuid: UUID) {
        self.uuid = uuid
    }

    /// Reads the usual text form; nil for anything else, and for a UUID of another version.
    public init?(_ text: some StringProtocol) {
        guard let uuid = UUID(uuidString: String(text)), uuid.uuid.6 >> 4 == 7, uuid.uuid.8 >> 6 == 2 else {
            return nil
        }
        self.uuid = uuid
    }

    /// The time in the id: when it was made, by the clock of who made it.
    public var time: Date {
        let bytes = uuid.uuid
        let milliseconds = [bytes.0, bytes.1, bytes.2, bytes.3, bytes.4, bytes.5].reduce(UInt64(0)) {
            $0 << 8 | UInt64($1)
        }
        return Date(timeIntervalSince1970: Double(milliseconds) / 1000)
    }

    /// How far ahead of a service's clock the time in the id of a run that is started may be: clocks differ, by a time zone
    /// at worst. A run from farther ahead would stand before all others for ever, since ids sort by time.
    public static let maximumLead: TimeInterval = 24 * 60 * 60

    /// Refuses the id for a run that is started. Ids of the past are taken: a retry may come late.
    /// Errors: `invalid_argument`.
    public func check(now: Date = Date()) throws(ServiceError) {
        guard time.timeIntervalSince(now) <= Self.maximumLead else {
            throw .invalidArgument(
                "\"run\" holds a time more than a day ahead: make a new UUID of version 7 by a clock that is right."
            )
        }
    }

    /// A new id: 48 bits of Unix milliseconds, then random bits.
    public static func new(now: Date = Date()) -> RunID {
        let milliseconds = UInt64(max(0, now.timeIntervalSince1970 * 1000))
        var high = UInt64.random(in: .min ... .max)
        var low = UInt64.random(in: .min ... .max)
        high = (milliseconds << 16) | (high & 0x0FFF) | 0x7000
        low = (low & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
        func byte(_ word: UInt64, _ index: Int) -> UInt8 { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64(index))) }
        return RunID(
            UUID(
                uuid: (
                    byte(high, 0), byte(high, 1), byte(high, 2), byte(high, 3), byte(high, 4), byte(high, 5),
                    byte(high, 6), byte(high, 7), byte(low, 0), byte(low, 1), byte(low, 2), byte(low, 3),
                    byte(low, 4), byte(low, 5), byte(low, 6), byte(low, 7)
                )
            )
        )
    }

    /// The usual text form, in lower case.
    public var description: String { uuid.uuidString.lowercased() }

    /// By time, then by chance.
    public static func < (left: RunID, right: RunID) -> Bool {
        left.uuid < right.uuid
    }

    /// Reads the form `encode(to:)` writes.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let id = RunID(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "a run's id is a UUID of version 7")
        }
        self = id
    }

    /// Writes the form of the protocol.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
