/// The formats that are checked: those the providers take for structured output, and `uri`.
enum SchemaFormat: String, Sendable, CaseIterable {
    case dateTime = "date-time"
    case date, time, duration, email, hostname, ipv4, ipv6, uuid, uri

    /// With an example a model can go by.
    var phrase: String {
        switch self {
        case .dateTime: "a date and time such as 2026-01-31T12:00:00Z"
        case .date: "a date such as 2026-01-31"
        case .time: "a time such as 12:00:00Z"
        case .duration: "a duration such as PT1H30M"
        case .email: "an email address"
        case .hostname: "a host name"
        case .ipv4: "an IPv4 address"
        case .ipv6: "an IPv6 address"
        case .uuid: "a UUID such as 2eb8aa08-aa98-11ea-b4aa-73b441d16380"
        case .uri: "a URI such as https://example.com/page"
        }
    }

    func holds(_ text: String) -> Bool {
        var reader = FormatReader(text)
        return switch self {
        case .date: reader.date() && reader.isAtEnd
        case .time: reader.time() && reader.isAtEnd
        case .dateTime: reader.date() && (reader.take("T") || reader.take("t")) && reader.time() && reader.isAtEnd
        case .duration: reader.duration()
        case .uuid: reader.uuid()
        case .email: Self.isEmail(text)
        case .hostname: Self.isHostname(text)
        case .ipv4: Self.isIPv4(text[...])
        case .ipv6: Self.isIPv6(text)
        case .uri: Self.isURI(text)
        }
    }
}

/// Reads the formats of RFC 3339 and RFC 9562, byte by byte.
struct FormatReader {
    private var rest: ArraySlice<UInt8>

    init(_ text: String) {
        rest = Array(text.utf8)[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let byte = rest.first, UInt32(byte) == character.value else { return false }
        rest.removeFirst()
        return true
    }

    /// Exactly so many digits.
    private mutating func number(digits: Int) -> Int? {
        guard rest.count >= digits, rest.prefix(digits).allSatisfy(\.isDigit) else { return nil }
        defer { rest.removeFirst(digits) }
        return rest.prefix(digits).reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    private mutating func digits() -> Int {
        let count = rest.prefix(while: \.isDigit).count
        rest.removeFirst(count)
        return count
    }

    mutating func date() -> Bool {
        guard let year = number(digits: 4), take("-"), let month = number(digits: 2), take("-"),
            let day = number(digits: 2), (1...12).contains(month)
        else { return false }
        let isLeap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
        let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return (1...days[month - 1]).contains(day)
    }

    /// With its offset. A leap second is only where one can be: at 23:59:60 in UTC.
    mutating func time() -> Bool {
        guard let hour = number(digits: 2), take(":"), let minute = number(digits: 2), take(":"),
            let second = number(digits: 2), hour < 24, minute < 60, second <= 60
        else { return false }
        if take("."), digits() == 0 { return false }
        var offset = 0
        if !take("Z"), !take("z") {
            let sign = take("+") ? 1 : take("-") ? -1 : 0
            guard sign != 0, let hours = number(digits: 2), take(":"), let minutes = number(digits: 2), hours < 24,
                minutes < 60
            else { return false }
            offset = sign * (hours * 60 + minutes)
        }
        return second < 60 || (hour * 60 + minute - offset + 2 * 1440) % 1440 == 1439
    }

    /// ISO 8601 as RFC 3339 writes it down: units in order, without a gap between them; weeks alone.
    mutating func duration() -> Bool {
        guard take("P") else { return false }
        if rest.last == UInt8(ascii: "W") { return digits() > 0 && take("W") && isAtEnd }
        guard let days = units(["Y", "M", "D"]) else { return false }
        guard take("T") else { return days && isAtEnd }
        return units(["H", "M", "S"]) == true && isAtEnd
    }

    /// Whether there was one; `nil` when something is wrong with them.
    private mutating func units(_ names: [Unicode.Scalar]) -> Bool? {
        var last: Int?
        while let first = rest.first, first.isDigit {
            _ = digits()
            guard let index = names.firstIndex(where: { take($0) }) else { return nil }
            if let last, index != last + 1 { return nil }
            last = index
        }
        return last != nil
    }

    mutating func uuid() -> Bool {
        for (index, length) in [8, 4, 4, 4, 12].enumerated() {
            if index > 0, !take("-") { return false }
            guard rest.count >= length, rest.prefix(length).allSatisfy(\.isHexDigit) else { return false }
            rest.removeFirst(length)
        }
        return isAtEnd
    }
}

extension UInt8 {
    var isDigit: Bool { (0x30...0x39).contains(self) }
    var isHexDigit: Bool { isDigit || (0x41...0x46).contains(self) || (0x61...0x66).contains(self) }
    var isLetter: Bool { (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) }
}
