import Contract

/// What becomes of the ticks that are due: those of now, and those that nobody was there for.
struct CatchUp: Sendable, Equatable {
    /// A tick that is noticed later than this was missed. Longer than a restart of storage takes.
    static let grace: Int64 = 60
    /// Ticks that were missed longer ago are not looked for.
    static let horizon: Int64 = 366 * CivilDate.seconds

    /// The ticks that begin a run, in their order.
    var fired: [Int64]
    /// How many were let go.
    var missed: Int

    /// - Parameter due: the ticks that are due, in their order.
    init(_ policy: Schedule.CatchUp, most: Int, due: [Int64], now: Int64) {
        let late = due.filter { $0 < now - Self.grace }
        let onTime = due.dropFirst(late.count)
        let caughtUp =
            switch policy {
            case .none: 0
            // What is due now is later than all that was missed.
            case .last: onTime.isEmpty ? 1 : 0
            case .all: most
            }
        fired = late.suffix(caughtUp) + onTime
        missed = late.count - min(late.count, caughtUp)
    }
}
