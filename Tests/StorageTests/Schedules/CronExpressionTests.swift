import Testing

@testable import Storage

/// What expressions mean, without a zone.
@Suite struct CronExpressionTests {
    /// Day 0 is Thursday, the 1st of January 1970.
    private func days(_ text: String, of range: Range<Int> = 0..<366) throws -> [Int] {
        let expression = try CronExpression(text)
        return range.filter { expression.includes(CivilDate(days: $0)) }
    }

    @Test(arguments: [
        ("0 0 * * *", [0]), ("*/20 1 * * *", [60, 80, 100]),
        ("5,10-12 0,23 * * *", [5, 10, 11, 12, 1385, 1390, 1391, 1392]),
        ("10-30/10 */12 * * *", [10, 20, 30, 730, 740, 750]), ("@hourly", (0..<24).map { $0 * 60 }), ("@DAILY", [0]),
        ("59 23 * * *", [1439]), ("\t0  6   * * *", [360]),
    ])
    func minutesAndHoursAreListsRangesAndSteps(text: String, minutes: [Int]) throws {
        #expect(try CronExpression(text).minutesOfDay == minutes)
    }

    @Test func daysAndMonthsAreNumbersOrNames() throws {
        #expect(try days("0 0 1 * *") == [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365])
        #expect(try days("0 0 31 jan-mar *") == [30, 89])
        #expect(try days("0 0 * * MON", of: 0..<15) == [4, 11])
        #expect(try days("0 0 * * sat-sun", of: 0..<7) == [2, 3])
        #expect(try days("0 0 * * 7", of: 0..<7) == days("0 0 * * 0", of: 0..<7))
        #expect(try days("0 0 * * */2", of: 0..<7) == [0, 2, 3, 5])
        #expect(try days("@yearly") == [0, 365] && days("@weekly", of: 0..<7) == [3])
    }

    @Test func ofTwoNamedDaysOneIsEnoughAndAStarNamesNone() throws {
        #expect(try days("0 0 1 * mon", of: 0..<12) == [0, 4, 11])
        #expect(try days("0 0 */2 * mon", of: 0..<12) == [4])
        #expect(try days("0 0 1 * *", of: 0..<12) == [0])
    }

    @Test func theLeapDayIsThereInLeapYears() throws {
        // 2000 and 2024 have one, 2100 has none.
        let found = try days("0 0 29 2 *", of: 10_957..<47_848)
        #expect(found.first == 11_016 && found.contains(19_782) && !found.contains(47_541))
        #expect(found.count == 25)
    }

    @Test(arguments: [
        ("", "0 fields"), ("* * * *", "4 fields"), ("* * * * * *", "6 fields"), ("60 * * * *", "0 to 59"),
        ("* 24 * * *", "0 to 23"), ("* * 0 * *", "1 to 31"), ("* * * 13 *", "jan feb"), ("* * * * 8", "sun mon"),
        ("* * * * fri-mon", "backwards"), ("30-10 * * * *", "backwards"), ("*/0 * * * *", "step"),
        ("*/60 * * * *", "step"),
        ("5/10 * * * *", "5-59/10"), ("1,,2 * * * *", "minute"), ("+5 * * * *", "minute"), ("* * L * *", "1 to 31"),
        ("* * ? * *", "1 to 31"), ("* * * * mon#2", "day of the week"), ("@reboot", "@daily"), ("0 0 30 2 *", "never"),
        ("0 0 31 4,6,9,11 *", "never"), ("１ * * * *", "minute"), (String(repeating: "1,", count: 200), "bytes"),
    ])
    func whatIsNoExpressionIsRefusedByASentence(text: String, sentence: String) {
        let error = #expect(throws: CronExpression.Refusal.self) { try CronExpression(text) }
        #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
    }

    @Test func aDayThatIsThereInNoMonthMayStandBesideAWeekday() throws {
        #expect(try days("0 0 30 2 mon", of: 31..<59) == [32, 39, 46, 53])
    }
}
