/// A day of the calendar, counted from 1970-01-01: a day as clocks on a wall have it, in no zone.
struct CivilDate: Sendable, Hashable {
    static let seconds: Int64 = 86_400

    let days: Int

    init(days: Int) {
        self.days = days
    }

    /// The day in UTC of a time in seconds since 1970.
    init(at time: Int64) {
        days = Int((time - (time % Self.seconds + Self.seconds) % Self.seconds) / Self.seconds)
    }

    /// A day as `2026-01-31` names it; nil where there is none of that name.
    init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2], parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]), year > 0,
            (1...12).contains(month),
            (1...31).contains(day)
        else { return nil }
        // From March on, as below.
        let (years, months) = month > 2 ? (year, month - 3) : (year - 1, month + 9)
        let leapDays = years / 4 - years / 100 + years / 400
        self.init(days: years * 365 + leapDays + (153 * months + 2) / 5 + day - 1 - 719_468)
        // The 31st of a month that has none is the 1st of the next.
        guard monthAndDay == (month, day) else { return nil }
    }

    /// 0 for Sunday.
    var weekday: Int { ((days + 4) % 7 + 7) % 7 }

    /// The month from 1 and the day of it from 1. Years are counted from March, so that the day which is there in some years
    /// only is the last.
    var monthAndDay: (month: Int, day: Int) {
        // 719 468 days from the 1st of March of year 0 to 1970; 146 097 days in 400 years.
        let shifted = days + 719_468
        let dayOfEra = (shifted % 146_097 + 146_097) % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        // 153 days in five months, from March on.
        let month = (5 * dayOfYear + 2) / 153
        return (month < 10 ? month + 3 : month - 9, dayOfYear - (153 * month + 2) / 5 + 1)
    }
}
