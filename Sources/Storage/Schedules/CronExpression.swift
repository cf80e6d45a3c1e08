/// At which minutes of which days something is due, as cron has it: `*/15 8-18 * * mon-fri`, or `@daily`. Of clocks on a wall;
/// which moments those are is the time zone's to say (`Timetable`).
struct CronExpression: Sendable, Equatable {
    /// Why a text is no expression: a sentence for whoever wrote it.
    struct Refusal: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    /// Longer ones are lists that nobody reads.
    static let maximumBytes = 200

    private let minutes: UInt64
    private let hours: UInt64
    private let days: UInt64
    private let months: UInt64
    private let weekdays: UInt64
    /// Whether the day of the month and the day of the week are both named: then one of them is enough.
    private let eitherDay: Bool
    /// Whether it names hours of the day. One that does not, such as `*/10 * * * *`, counts the time that passes.
    let namesHours: Bool

    init(_ text: String) throws(Refusal) {
        guard text.utf8.count <= Self.maximumBytes else {
            throw Refusal(description: "It has more than \(Self.maximumBytes) bytes.")
        }
        let words = try Self.words(text)
        minutes = try CronField.minute.set(words[0])
        hours = try CronField.hour.set(words[1])
        days = try CronField.day.set(words[2])
        months = try CronField.month.set(words[3])
        let weekdays = try CronField.weekday.set(words[4])
        // Sunday is 0 and 7.
        self.weekdays = (weekdays | weekdays >> 7) & 0x7F
        namesHours = !words[1].hasPrefix("*")
        eitherDay = !words[2].hasPrefix("*") && !words[4].hasPrefix("*")
        guard eitherDay || hasPossibleDay else {
            throw Refusal(description: "No month that it names has such a day: it would never be due.")
        }
    }

    private static let names = [
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
    ]

    private static func words(_ text: String) throws(Refusal) -> [Substring] {
        let text = text.lowercased()
        let words = (names[text] ?? text).split(whereSeparator: { $0 == " " || $0 == "\t" })
        if text.hasPrefix("@"), names[text] == nil {
            throw Refusal(description: "There is no \(text). There are \(names.keys.sorted().joined(separator: ", ")).")
        }
        guard words.count == 5 else {
            throw Refusal(
                description:
                    "It has \(words.count) fields and needs 5: minute, hour, day of the month, month, day of the week."
            )
        }
        return words
    }

    /// Whether it is due on a day at all.
    func includes(_ date: CivilDate) -> Bool {
        let (month, day) = date.monthAndDay
        guard months & 1 << UInt64(month) != 0 else { return false }
        let (isDay, isWeekday) = (days & 1 << UInt64(day) != 0, weekdays & 1 << UInt64(date.weekday) != 0)
        return eitherDay ? isDay || isWeekday : isDay && isWeekday
    }

    /// The minutes of a day it includes, in their order.
    var minutesOfDay: [Int] {
        (0..<24).filter { hours & 1 << UInt64($0) != 0 }.flatMap { hour in
            (0..<60).filter { minutes & 1 << UInt64($0) != 0 }.map { hour * 60 + $0 }
        }
    }

    private var hasPossibleDay: Bool {
        let longest = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return longest.enumerated().contains { month, length in
            months & 1 << UInt64(month + 1) != 0 && days & ((2 << UInt64(length)) - 2) != 0
        }
    }
}

/// One of the five fields: a list of values, ranges and steps.
private struct CronField {
    let name: String
    let range: ClosedRange<Int>
    var names: [String] = []

    static let minute = CronField(name: "minute", range: 0...59)
    static let hour = CronField(name: "hour", range: 0...23)
    static let day = CronField(name: "day of the month", range: 1...31)
    static let month = CronField(
        name: "month",
        range: 1...12,
        names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    )
    static let weekday = CronField(
        name: "day of the week",
        range: 0...7,
        names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
    )

    /// The values as bits.
    func set(_ text: Substring) throws(CronExpression.Refusal) -> UInt64 {
        var set: UInt64 = 0
        for item in text.split(separator: ",", omittingEmptySubsequences: false) { set |= try bits(item) }
        return set
    }

    private func bits(_ item: Substring) throws(CronExpression.Refusal) -> UInt64 {
        let parts = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let range = try values(parts[0])
        var step = 1
        if parts.count == 2 {
            guard let given = number(parts[1]), given >= 1, given <= self.range.upperBound else {
                throw refusal("\"\(item)\": a step is a number from 1 to \(self.range.upperBound)")
            }
            guard parts[0].contains("-") || parts[0] == "*" else {
                throw refusal(
                    "\"\(item)\": a step needs a range, such as \(parts[0])-\(self.range.upperBound)/\(given)"
                )
            }
            step = given
        }
        return stride(from: range.lowerBound, through: range.upperBound, by: step).reduce(0) { $0 | 1 << UInt64($1) }
    }

    private func values(_ text: Substring) throws(CronExpression.Refusal) -> ClosedRange<Int> {
        if text == "*" { return range }
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let first = try value(ends[0])
        var last = try value(ends[ends.count - 1])
        // `sat-sun`: there Sunday is the seventh.
        if ends.count == 2, last == 0, range.upperBound == 7, first > 0 { last = 7 }
        guard first <= last else { throw refusal("\"\(text)\" runs backwards: write it as two ranges") }
        return first...last
    }

    private func value(_ text: Substring) throws(CronExpression.Refusal) -> Int {
        if let place = names.firstIndex(of: String(text)) { return place + (range.lowerBound == 1 ? 1 : 0) }
        guard let value = number(text), range.contains(value) else {
            let hint = names.isEmpty ? "" : ", or \(names.joined(separator: " "))"
            throw refusal("\"\(text)\" is not from \(range.lowerBound) to \(range.upperBound)\(hint)")
        }
        return value
    }

    /// Digits and nothing else: `Int` also takes a sign.
    private func number(_ text: Substring) -> Int? {
        guard (1...2).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }

    private func refusal(_ what: String) -> CronExpression.Refusal {
        CronExpression.Refusal(description: "The \(name): \(what).")
    }
}
