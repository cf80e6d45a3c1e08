/// How far the clocks in a time zone stand before UTC, and from when on: as Postgres knows it (`Zones`).
struct ZoneOffsets: Sendable, Equatable {
    /// Seconds since 1970, ascending, and the seconds before UTC from then on.
    let changes: [(since: Int64, seconds: Int)]

    /// The offset at a moment; before the first change that of the first.
    func seconds(at time: Int64) -> Int64 {
        var (low, high) = (0, changes.count)
        while low < high {
            let middle = (low + high) / 2
            if changes[middle].since <= time { low = middle + 1 } else { high = middle }
        }
        return Int64(changes.isEmpty ? 0 : changes[max(0, low - 1)].seconds)
    }

    static func == (one: ZoneOffsets, other: ZoneOffsets) -> Bool {
        one.changes.elementsEqual(other.changes) { $0 == $1 }
    }
}

/// The moments at which an expression is due in a zone: its *ticks*, in seconds since 1970.
///
/// Where clocks are changed, an expression that names hours is due once for each time it names: a time that is left out
/// counts as that much later, and of one that comes twice the first counts. One that names no hours, such as
/// `*/10 * * * *`, is due whenever clocks show such a time: never in what is left out, and twice in what comes twice.
struct Timetable: Sendable {
    /// A leap day is eight years away at most.
    private static let windows = [3, 40, 400, 3_300]

    let expression: CronExpression
    let offsets: ZoneOffsets
    private let minutes: [Int]

    init(_ expression: CronExpression, _ offsets: ZoneOffsets) {
        self.expression = expression
        self.offsets = offsets
        minutes = expression.minutesOfDay
    }

    /// The ticks after one moment, up to and with another.
    func ticks(after start: Int64, through end: Int64) -> [Int64] {
        guard start < end else { return [] }
        // A zone may be most of a day away from UTC, and a change may move a tick into the next day.
        let days = (CivilDate(at: start).days - 2)...(CivilDate(at: end).days + 2)
        var found: [Int64] = []
        for day in days { found += ticks(on: CivilDate(days: day)).filter { $0 > start && $0 <= end } }
        found.sort()
        // A time that was moved may fall on one that is there as well.
        return found.reduce(into: []) { if $0.last != $1 { $0.append($1) } }
    }

    /// The first ticks after a moment.
    func next(_ count: Int = 1, after start: Int64) -> [Int64] {
        var found: [Int64] = []
        for window in Self.windows {
            found = ticks(after: start, through: start + Int64(window) * CivilDate.seconds)
            if found.count >= count { break }
        }
        return Array(found.prefix(count))
    }

    private func ticks(on date: CivilDate) -> [Int64] {
        guard expression.includes(date) else { return [] }
        let midnight = Int64(date.days) * CivilDate.seconds
        return minutes.flatMap { moments(showing: midnight + Int64($0) * 60) }
    }

    /// When clocks show a time: usually once. A day before and after it nothing of the change is left, so the two offsets
    /// around it tell which kind it is.
    private func moments(showing time: Int64) -> [Int64] {
        let before = time - offsets.seconds(at: time - CivilDate.seconds)
        let after = time - offsets.seconds(at: time + CivilDate.seconds)
        guard before != after else { return [before] }
        let shown = [before, after].filter { $0 + offsets.seconds(at: $0) == time }
        switch (shown.count, expression.namesHours) {
        case (1, _): return shown
        case (2, true): return [before]
        case (2, false): return [before, after]
        // Left out.
        case (_, true): return [before]
        case (_, false): return []
        }
    }
}
