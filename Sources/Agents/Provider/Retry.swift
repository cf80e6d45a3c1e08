import NIOHTTP1

/// When a failed request is made again.
struct RetryPolicy: Sendable, Hashable {
    /// Requests after the first.
    var retries = 2
    /// A provider that asks for a longer pause is not waited for: whoever asked should know.
    var longestPause = Duration.seconds(30)

    /// How long to wait before request number `attempt` + 1, or `nil` when the failure is final.
    ///
    /// Without a wish of the provider: half a second, doubled each time, of which a random half is kept, so that callers
    /// who failed together do not return together.
    func pause(after failure: ProviderFailure, attempt: Int, random: Double = .random(in: 0...1)) -> Duration? {
        guard failure.mayRetry, attempt <= retries else { return nil }
        if let wish = failure.error.retryAfter { return wish <= longestPause ? wish : nil }
        let full = Duration.milliseconds(500) * (1 << min(attempt - 1, 6))
        return min(full, longestPause) * (0.5 + random / 2)
    }
}

/// The pause a provider asks for ([RFC 9110, 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3), and
/// `retry-after-ms` as some send it). A date is taken against the provider's own `Date`, so no clock of ours matters.
enum RetryAfter {
    static func duration(in headers: HTTPHeaders) -> Duration? {
        if let text = headers.first(name: "retry-after-ms"), let value = number(text) { return .milliseconds(value) }
        guard let text = headers.first(name: "retry-after") else { return nil }
        if let value = number(text) { return .milliseconds(value * 1000) }
        guard let end = seconds(text), let now = headers.first(name: "date").flatMap(seconds) else { return nil }
        return .seconds(max(0, end - now))
    }

    /// No more than a year, so that no sum with it overflows.
    private static func number(_ text: String) -> Double? {
        guard let value = Double(text), value.isFinite, value >= 0 else { return nil }
        return min(value, 31_536_000)
    }

    /// The seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`, the one form of a date a sender may write.
    private static func seconds(_ text: String) -> Int? {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let parts = text.split { $0 == " " || $0 == ":" || $0 == "," }
        guard parts.count == 8, parts[7] == "GMT", let index = months.firstIndex(of: String(parts[2])) else {
            return nil
        }
        let numbers = [parts[1], parts[3], parts[4], parts[5], parts[6]].compactMap { Int($0) }
        guard numbers.count == 5, (1...31).contains(numbers[0]), (1970...9999).contains(numbers[1]) else { return nil }
        guard (0..<24).contains(numbers[2]), (0..<60).contains(numbers[3]), (0...60).contains(numbers[4]) else {
            return nil
        }
        // Days since 1970 in the proleptic Gregorian calendar, with the year beginning in March so that leap days end it.
        let year = index < 2 ? numbers[1] - 1 : numbers[1]
        let dayOfYear = (153 * ((index + 10) % 12) + 2) / 5 + numbers[0] - 1
        let days = 365 * year + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
        return ((days * 24 + numbers[2]) * 60 + numbers[3]) * 60 + numbers[4]
    }
}
