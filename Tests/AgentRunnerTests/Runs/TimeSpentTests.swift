import Agents
import Contract
import FoundationEssentials
import Testing
import Wire

@testable import AgentRunner

/// What is left of a run's limits for a further attempt, and which failures have none.
@Suite struct TimeSpentTests {
    private func run(failures: Int, began: String = "null", _ steps: [RunStep]) throws -> GetRun.Result {
        let question = #"{"text":"?","channel":"http"}"#
        let json = try JSON(
            validating: """
                {"id":"018e6109-2400-7000-8000-000000000001","state":"running","agent":"a","question":\(question),"attempt":3,\
                "failures":\(failures),"events":1,"created":"2026-01-31T12:00:00.000Z","began":\(began),"steps":\(try JSON(encoding: steps))}
                """
        )
        return try json.decode(GetRun.Result.self)
    }

    private func step(_ name: String, attempt: Int, _ start: Int, _ end: Int?) -> RunStep {
        RunStep(step: name, attempt: attempt, kind: .model, name: "m", startMilliseconds: start, endMilliseconds: end)
    }

    private var steps: [RunStep] {
        [
            step("1", attempt: 1, 1_000, 2_000), step("1/b#1/1", attempt: 1, 1_500, 1_900),
            step("2", attempt: 1, 2_000, nil), step("2", attempt: 2, 90_000, 90_500),
            step("3", attempt: 3, 99_000, nil),
        ]
    }

    /// Ten minutes after it was asked.
    private var now: Date { Date(timeIntervalSince1970: 1_769_861_400) }

    @Test func whereAttemptsFailedTimeCountsFromTheFirst() throws {
        let run = try run(failures: 2, steps)
        #expect(run.timeSpent(before: 3, at: now) == .milliseconds(599_000))
        #expect(run.timeSpent(before: 3, within: "1/b#1/", at: now) == .milliseconds(598_500))
        #expect(run.timeSpent(before: 1, at: now) == .zero)
        // Clocks may differ.
        #expect(run.timeSpent(before: 3, at: now - 3_600) == .zero)
    }

    @Test func theTimeOfWhoHadToApproveSomethingIsNotTheRuns() throws {
        #expect(try run(failures: 0, steps).timeSpent(before: 3, at: now) == .milliseconds(1_500))
    }

    @Test func attemptsThatCouldAskNobodyCountToo() throws {
        let run = try run(failures: 2, began: #""2026-01-31T12:09:00.000Z""#, [])
        #expect(run.timeSpent(before: 3, at: now) == .seconds(60))
        // A part of it has begun nothing.
        #expect(run.timeSpent(before: 3, within: "1/b#1/", at: now) == .zero)
    }

    @Test func whatIsLeftCountsTheTimeOfThisAttemptOnce() throws {
        let run = try run(failures: 2, steps)
        // 599 seconds since the first began, ten of them in this attempt.
        let left = run.timeLeft(of: .seconds(600), in: 3, after: .seconds(10), at: now)
        #expect(left == .seconds(1))
        #expect(run.timeLeft(of: .seconds(60), in: 3, after: .seconds(10), at: now) == .seconds(-539))
    }

    @Test func aPauseThatTheNextAttemptWouldNotCountEndsNoRun() throws {
        #expect(try run(failures: 1, steps).timeLeft(of: .seconds(1), in: 3, after: .seconds(10), at: now) == nil)
    }

    @Test(arguments: [
        (AgentError.Code.limitReached, false), (.misconfigured, false), (.timedOut, true), (.providerUnavailable, true),
    ])
    func aLimitOfItsOwnIsNoFailureThatPasses(_ code: AgentError.Code, mayPass: Bool) {
        #expect(RunFailure(AgentError(code, "It did not work.")).mayPass == mayPass)
    }
}
