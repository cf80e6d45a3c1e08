import Agents
import Contract
import Synchronization
import Testing
import Wire

@testable import AgentRunner

/// What becomes of runs whose agents fail, and of those that are stopped.
extension RunsTests {
    struct FailingAgent: RunnableAgent {
        var error: any Error
        var wallClock: Duration?
        var beginsWithModel = false
        var modelName: String { "failing" }
        var providers: [String] { ["house"] }

        func answer(
            _ question: Question,
            steps: Steps?,
            trace: TraceParent,
            emit: @escaping @Sendable (RunEvent.Body) throws -> Void
        ) async throws -> Outcome {
            throw error
        }
    }

    @Test func aStatusIsTakenAwayWhereThereIsNoAnswer() async throws {
        let teller = SlowTeller()
        let agents: AgentDirectory = ["documentation": FailingAgent(error: ServiceError.internal("It broke."))]
        try await withRuns(stored: StoredRuns(), agents: agents, teller: teller) { runs in
            let feed = try runs.accept(.new(), agent: "documentation", question: question, origin: .live(RunPolicy()))
            _ = try await events(of: feed)
        }
        #expect(teller.told.withLock { $0.last } == "")
    }

    @Test func anAgentThatFailsIsTheRunsLastEvent() async throws {
        let agent = FailingAgent(error: ServiceError.failedPrecondition("The key is wrong."))
        try await withRuns(stored: StoredRuns(), agents: ["documentation": agent]) { runs in
            let feed = try runs.accept(
                .new(),
                agent: "documentation",
                question: question,
                origin: .live(RunPolicy())
            )
            guard case .finished(let outcome) = try await events(of: feed).last?.body else { throw Unexpected() }
            #expect(outcome.state == .failed)
            #expect(outcome.error?.code == "failed_precondition")
        }
    }

    @Test(arguments: [true, false]) func whatMayPassIsGivenBackToBeTriedAgainAlsoWhenAReaderWaits(isLive: Bool)
        async throws
    {
        let stored = StoredRuns(delay: .milliseconds(20))
        let agent = FailingAgent(error: ServiceError.unavailable("The provider is away."))
        try await withRuns(stored: stored, agents: ["documentation": agent]) { runs in
            let origin = isLive ? RunExecution.Origin.live(RunPolicy()) : .claimed(attempt: 1, next: 1)
            let feed = try runs.accept(.new(), agent: "documentation", question: question, origin: origin)
            await #expect { try await events(of: feed) } throws: { ($0 as? ServiceError)?.code == .aborted }
            // Not before it was stored.
            #expect(stored.state.withLock { $0.opened.count } == (isLive ? 1 : 0))
            let released = stored.state.withLock { $0.released }
            #expect(released.map(\.reason) == [.failed] && released.map(\.attempt) == [1])
            #expect(released.first?.error?.code == "unavailable")
        }
    }

    /// As where its model is left alone.
    @Test func anAgentThatFailsBeforeItAsksItsModelLeavesTheRunToBeOpened() async throws {
        let stored = StoredRuns()
        let error = AgentError(.providerUnavailable, "It is left alone.", retryAfter: .seconds(29))
        let agents: AgentDirectory = ["documentation": FailingAgent(error: error, beginsWithModel: true)]
        try await withRuns(stored: stored, agents: agents) { runs in
            let feed = try runs.accept(.new(), agent: "documentation", question: question, origin: .live(RunPolicy()))
            await #expect { try await events(of: feed) } throws: { ($0 as? ServiceError)?.code == .aborted }
        }
        #expect(stored.state.withLock { $0.released.map(\.reason) } == [.held])
    }

    @Test func howMuchTimeIsLeftIsSaidWhereARunHasALimitOfIt() async throws {
        let stored = StoredRuns()
        let error = ServiceError.unavailable("The provider is away.")
        let agents: AgentDirectory = [
            "limited": FailingAgent(error: error, wallClock: .seconds(60)), "documentation": FailingAgent(error: error),
        ]
        try await withRuns(stored: stored, agents: agents) { runs in
            for agent in ["documentation", "limited"] {
                let feed = try runs.accept(.new(), agent: agent, question: question, origin: .live(RunPolicy()))
                await #expect { try await events(of: feed) } throws: { ($0 as? ServiceError)?.code == .aborted }
            }
        }
        let left = stored.state.withLock { $0.released.map(\.withinMilliseconds) }
        #expect(left.count == 2 && left[0] == nil && (1...60_000).contains(left[1] ?? 0), "\(left)")
    }

    /// A pause of our own says nothing to others, who may reach the model.
    @Test(arguments: [
        (AgentError.Code.providerUnavailable, [] as [String]), (.rateLimited, ["house"]),
    ])
    func runsAreHeldEverywhereOnlyWhereTheProviderAskedForIt(code: AgentError.Code, held: [String]) async throws {
        let stored = StoredRuns()
        let agent = FailingAgent(error: AgentError(code, "Not now.", retryAfter: .seconds(29)))
        try await withRuns(stored: stored, agents: ["documentation": agent]) { runs in
            let origin = RunExecution.Origin.claimed(attempt: 1, next: 1)
            let feed = try runs.accept(.new(), agent: "documentation", question: question, origin: origin)
            await #expect { try await events(of: feed) } throws: { ($0 as? ServiceError)?.code == .aborted }
        }
        let (released, holds) = stored.state.withLock { ($0.released, $0.held) }
        #expect(released.map(\.afterMilliseconds) == [30_000])
        // Whoever says when to come back is not to be asked before: that is none of the tries.
        #expect(released.map(\.reason) == [.held])
        #expect(holds.map(\.provider) == held && holds.allSatisfy { $0.milliseconds == 30_000 })
    }

    /// Whoever sees the last event may let go of the run before it has come to its end in here.
    @Test func aRunThatIsStoppedWhenItsEndIsSeenHasEnded() async throws {
        let stored = StoredRuns()
        try await withRuns(stored: stored, agents: [EchoAgent.name: EchoAgent()]) { runs in
            for _ in 0..<100 {
                let run = RunID.new()
                let origin = RunExecution.Origin.claimed(attempt: 1, next: 1)
                let feed = try runs.accept(run, agent: EchoAgent.name, question: question, origin: origin)
                var shown = 0
                while let next = try await feed.events(from: shown) {
                    shown += next.count
                    if shown == 2 { runs.stop(run, upTo: 1) }
                }
                #expect(shown == 2)
            }
        }
        #expect(stored.state.withLock { $0.released.isEmpty })
    }
}
