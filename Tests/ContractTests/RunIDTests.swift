import Contract
import FoundationEssentials
import Testing
import Wire

@Suite struct RunIDTests {
    @Test func aNewIdIsAUUIDOfVersion7() {
        let text = Array(RunID.new().description)
        #expect(text.count == 36)
        #expect(text[14] == "7")
        #expect("89ab".contains(text[19]))
    }

    @Test func idsSortByTime() {
        let early = RunID.new(now: Date(timeIntervalSince1970: 1_700_000_000))
        let late = RunID.new(now: Date(timeIntervalSince1970: 1_700_000_000.001))
        #expect(early < late)
    }

    @Test(arguments: [
        "", "7", "not a uuid", "0198c5a0-0000-7000-8000-00000000000g", "0198c5a0-0000-4000-8000-000000000000",
    ])
    func whatIsNoUUIDIsRefused(text: String) {
        #expect(RunID(text) == nil)
        #expect(throws: DecodingError.self) { try JSON(encoding: [text]).decode([RunID].self) }
    }

    @Test func itsTimeIsReadFromIt() {
        let time = Date(timeIntervalSince1970: 1_700_000_000.123)
        #expect(abs(RunID.new(now: time).time.timeIntervalSince(time)) < 0.001)
    }

    @Test func itsTextIsLowerCase() throws {
        let id = try #require(RunID("0198C5A0-0000-7000-8000-00000000000A"))
        #expect(try JSON(encoding: [id]).description == #"["0198c5a0-0000-7000-8000-00000000000a"]"#)
    }

    @Test func aTimeMoreThanADayAheadIsRefusedAndAnyPastIsTaken() throws {
        let now = Date(timeIntervalSince1970: 1_700_000_000)
        for seconds in [-50 * 365 * 86_400.0, 0, 86_399] {
            try RunID.new(now: now.addingTimeInterval(seconds)).check(now: now)
        }
        let ahead = RunID.new(now: now.addingTimeInterval(86_401))
        #expect { try ahead.check(now: now) } throws: { ($0 as? ServiceError)?.code == .invalidArgument }
    }
}
