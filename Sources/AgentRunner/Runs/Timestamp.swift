import FoundationEssentials

/// Points in time as RFC 3339 in UTC with milliseconds, the form events carry.
enum Timestamp {
    private static let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    static func now() -> String { of(Date()) }

    static func of(_ date: Date) -> String { date.formatted(style) }
}
