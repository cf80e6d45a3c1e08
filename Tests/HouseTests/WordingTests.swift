import ArgumentParser
import Contract
import Testing
import Wire

@testable import Console

/// How commands say things.
@Suite struct WordingTests {
    @Test(arguments: [(90, "90s"), (600, "10m"), (5_400, "90m"), (28_800, "8h"), (86_400, "1d")])
    func aLengthOfTimeIsSaidAsItIsWritten(seconds: Int, text: String) {
        #expect(Lifetime(seconds: seconds).description == text)
        #expect(Lifetime(argument: text)?.seconds == seconds)
        #expect(ApprovalsRequire.helpMessage().contains("(default: 1d)"))
    }

    @Test(arguments: [
        (0, "$0.00"), (0.0085, "$0.0085"), (0.25, "$0.25"), (2, "$2.00"), (1_234.5, "$1234.50"), (0.00001, "$0.00001"),
        (0.0000123, "$0.000012"), (0.000999, "$0.001"), (1e-15, "$1e-15"),
    ])
    func moneyIsInDollars(amount: Double, text: String) {
        #expect(Dollars.words(amount) == text)
    }

    @Test func whatHelpSaysIsBrokenWhereTheTerminalEndsAndNotWithinASentence() {
        let follow = RunsFollow.helpMessage(columns: 300)
        #expect(follow.contains("It goes on when storage is started again meanwhile."), "\(follow)")
        let limit = RunsLimit.helpMessage(columns: 300)
        #expect(limit.contains("Runs whose reader waits are not held up"), "\(limit)")
    }

    @Test func theLogIsNamedOnce() {
        let own = ServiceError.internal("The database refused a statement; the log of octavo-storage says more.")
        #expect(ServiceOptions.advice(own).isEmpty)
        #expect(ServiceOptions.advice(.internal("Something went wrong.")).contains("log"))
    }

    @Test func wordsAreBrokenIntoLinesBetweenThem() {
        let words = ["up 7 s", "0 calls in flight", "pool.busy 0", "runs.queued 12"]
        #expect(
            HealthCommand.lines(of: words, width: 30) == ["up 7 s, 0 calls in flight,", "pool.busy 0, runs.queued 12"]
        )
        #expect(HealthCommand.lines(of: words, width: 5).count == 4)
    }
}
