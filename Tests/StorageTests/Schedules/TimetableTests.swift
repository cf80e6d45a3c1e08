import Contract
import FoundationEssentials
import Testing

@testable import Storage

/// Which moments an expression means where clocks are changed.
@Suite struct TimetableTests {
    /// Berlin in 2026: summer time from March 29, 01:00 UTC, to October 25, 01:00 UTC.
    private static let berlin = ZoneOffsets(changes: [
        (0, 3_600), (time("2026-03-29T01:00:00Z"), 7_200), (time("2026-10-25T01:00:00Z"), 3_600),
    ])
    /// Lord Howe Island: half an hour, from October 4, 15:30 UTC the day before, to April 4, 15:00 UTC.
    private static let lordHowe = ZoneOffsets(changes: [
        (0, 39_600), (time("2026-04-04T15:00:00Z"), 37_800), (time("2026-10-03T15:30:00Z"), 39_600),
    ])
    /// Samoa in 2011: the 30th of December was left out.
    private static let samoa = ZoneOffsets(changes: [(0, -36_000), (time("2011-12-30T10:00:00Z"), 50_400)])

    private static func time(_ text: String) -> Int64 {
        Int64((try? Date(text, strategy: .iso8601))?.timeIntervalSince1970 ?? .nan)
    }

    private func ticks(_ cron: String, _ zone: ZoneOffsets, _ start: String, _ end: String) throws -> [String] {
        try Timetable(CronExpression(cron), zone).ticks(after: Self.time(start) - 1, through: Self.time(end))
            .map { Date(timeIntervalSince1970: Double($0)).formatted(.iso8601) }
    }

    @Test func aTimeThatIsLeftOutCountsAsThatMuchLater() throws {
        #expect(
            try ticks("30 2 * * *", Self.berlin, "2026-03-28T00:00:00Z", "2026-03-30T23:00:00Z") == [
                "2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z",
            ]
        )
    }

    @Test func ofATimeThatComesTwiceTheFirstCounts() throws {
        #expect(
            try ticks("30 2 * * *", Self.berlin, "2026-10-24T00:00:00Z", "2026-10-26T23:00:00Z") == [
                "2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z",
            ]
        )
    }

    @Test func whatNamesNoHoursGoesByTheTimeThatPasses() throws {
        #expect(
            try ticks("*/30 * * * *", Self.berlin, "2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z") == [
                "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z",
                "2026-10-25T02:00:00Z",
            ]
        )
        #expect(
            try ticks("*/30 * * * *", Self.berlin, "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z") == [
                "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z",
            ]
        )
    }

    @Test func aTimeThatWasMovedOntoAnotherIsOneTick() throws {
        #expect(
            try ticks("30 2,3 * * *", Self.berlin, "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z")
                == ["2026-03-29T01:30:00Z"]
        )
    }

    @Test func aChangeOfHalfAnHourAndOneOfADayAreNoExceptions() throws {
        // 01:45 comes twice, 02:15 is left out.
        #expect(
            try ticks("45 1 * * *", Self.lordHowe, "2026-04-04T12:00:00Z", "2026-04-05T12:00:00Z")
                == ["2026-04-04T14:45:00Z"]
        )
        #expect(
            try ticks("15 2 * * *", Self.lordHowe, "2026-10-03T12:00:00Z", "2026-10-04T12:00:00Z")
                == ["2026-10-03T15:45:00Z"]
        )
        // Noon of the day that was not, and of the next one, are the same moment.
        #expect(
            try ticks("0 12 * * *", Self.samoa, "2011-12-29T00:00:00Z", "2012-01-01T00:00:00Z")
                == ["2011-12-29T22:00:00Z", "2011-12-30T22:00:00Z", "2011-12-31T22:00:00Z"]
        )
    }

    @Test func theNextTicksComeInTheirOrderHoweverFarAway() throws {
        let leap = Timetable(try CronExpression("0 0 29 2 *"), ZoneOffsets(changes: [(0, 0)]))
        #expect(leap.next(2, after: Self.time("2026-11-23T00:00:00Z")).first == Self.time("2028-02-29T00:00:00Z"))
        let minutes = Timetable(try CronExpression("* * * * *"), Self.berlin)
        let found = minutes.next(100, after: Self.time("2026-10-25T00:30:00Z"))
        #expect(found.count == 100 && zip(found, found.dropFirst()).allSatisfy { $1 - $0 == 60 })
    }

    @Test(
        arguments: [
            (Schedule.CatchUp.none, [], 3, [1_000], 3), (.last, [300], 2, [1_000], 3),
            (.all, [200, 300], 1, [200, 300, 1_000], 1),
        ] as [(Schedule.CatchUp, [Int64], Int, [Int64], Int)]
    )
    func missedTicksAreCaughtUpWithAsThePolicySays(
        policy: Schedule.CatchUp,
        fired: [Int64],
        missed: Int,
        firedBesideOne: [Int64],
        missedBesideOne: Int
    ) {
        let late = CatchUp(policy, most: 2, due: [100, 200, 300], now: 1_000)
        #expect(late.fired == fired && late.missed == missed)
        let besideOne = CatchUp(policy, most: 2, due: [100, 200, 300, 1_000], now: 1_000 + CatchUp.grace)
        #expect(besideOne.fired == firedBesideOne && besideOne.missed == missedBesideOne)
    }
}
