import Contract
import Testing
import Wire

@testable import AgentRunner

@Suite struct RunSpanTests {
    @Test func anAttemptsSpanIsKnownToWhoeverKnowsRunAndAttempt() throws {
        let run = RunID.new()
        let again = try #require(RunID("\(run)"))
        #expect(run.span(of: 1) == again.span(of: 1) && run.span(of: 1) != run.span(of: 2))
        let all = (0..<1_000).flatMap { _ in (1...3).map(RunID.new().span(of:)) }
        #expect(Set(all).count == all.count && !all.contains(0))
    }
}
