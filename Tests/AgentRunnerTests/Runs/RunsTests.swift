import Agents
import Contract
import Logging
import RPC
import ServiceLifecycle
import Synchronization
import Testing
import Wire

@testable import AgentRunner

/// The runs of one agent runner against a storage service that a test can slow down and break, over a real socket.
@Suite(.serialized) struct RunsTests {
    /// An agent that says two pieces, with a pause before the first.
    struct TalkingAgent: RunnableAgent {
        var delay = Duration.zero
        var modelName: String { "talking" }

        func answer(
            _ question: Question,
            steps: Steps?,
            trace: TraceParent,
            emit: @escaping @Sendable (RunEvent.Body) throws -> Void
        ) async throws -> Outcome {
            try await Task.sleep(for: delay)
            try emit(.text("one "))
            try emit(.text("two"))
            return Outcome(state: .succeeded, answer: "one two", supported: true, model: modelName)
        }
    }

    /// An agent that begins with a call of its model.
    struct StartingAgent: RunnableAgent {
        var fails = false
        var modelName: String { "starting" }
        var beginsWithModel: Bool { true }

        func answer(
            _ question: Question,
            steps: Steps?,
            trace: TraceParent,
            emit: @escaping @Sendable (RunEvent.Body) throws -> Void
        ) async throws -> Outcome {
            if fails { throw ServiceError.internal("It broke.") }
            let model = FunctionModel { _, emit in
                try await emit(.text("So."))
                try await emit(.finish(.stop))
            }
            try await steps?.recorded(model).respond(to: ModelRequest(messages: [.user(question.text)])) { _ in }
            return Outcome(state: .succeeded, answer: "So.", supported: true, model: modelName)
        }
    }

    /// Tells slowly, and notes what. Cancelled it is faster.
    final class SlowTeller: Teller {
        let delay: Duration
        let told = Mutex<[String]>([])

        init(delay: Duration = .zero) {
            self.delay = delay
        }

        func check(_ thread: SlackThread?) {}

        func tell(_ run: RunID, in thread: SlackThread?, _ status: String) async {
            guard (try? await Task.sleep(for: delay)) != nil else { return }
            told.withLock { $0.append(status) }
        }
    }

    struct Unexpected: Error {}

    let question = Question(text: "How?", channel: .http)

    @Test func telling_storing_andTheAgentTakePlaceAtTheSameTime() async throws {
        let pause = Duration.seconds(2)
        let stored = StoredRuns(delay: pause)
        let agents: AgentDirectory = ["documentation": TalkingAgent(delay: pause)]
        try await withRuns(stored: stored, agents: agents, teller: SlowTeller(delay: pause)) { runs in
            let feed = try runs.accept(.new(), agent: "documentation", question: question, origin: .live(RunPolicy()))
            let events = try await events(of: feed)
            guard case .finished(let outcome) = events.last?.body else { throw Unexpected() }
            let spans = Dictionary(uniqueKeysWithValues: outcome.timeline.map { ($0.name, $0) })
            let agent = try #require(spans["agent"])
            // The agent has finished, so the others have begun: each before the others ended, or they did not overlap.
            for (name, span) in spans {
                #expect(span.startMilliseconds < agent.endMilliseconds, "\(name)")
                #expect(agent.startMilliseconds < span.endMilliseconds, "\(name)")
            }
            #expect(Set(spans.keys) == ["tell", "store", "agent"])
        }
    }

    @Test func theAnswerDoesNotWaitForTheTelling() async throws {
        let teller = SlowTeller(delay: .seconds(86_400))
        try await withRuns(stored: StoredRuns(), agents: ["documentation": TalkingAgent()], teller: teller) { runs in
            let thread = SlackThread(channel: "C1", thread: "1.000001")
            let origin = RunExecution.Origin.live(RunPolicy(), slack: thread)
            let feed = try runs.accept(.new(), agent: "documentation", question: question, origin: origin)
            let events = try await events(of: feed)
            guard case .finished(let outcome) = events.last?.body else { throw Unexpected() }
            #expect(outcome.timeline.contains { $0.name == "tell" })
        }
        #expect(teller.told.withLock { $0 } == [])
    }

    @Test func eventsAreNumberedFromOneWithoutAGapAndStoredBeforeTheyAreShown() async throws {
        let stored = StoredRuns()
        try await withRuns(stored: stored, agents: ["documentation": TalkingAgent()]) { runs in
            let feed = try runs.accept(.new(), agent: "documentation", question: question, origin: .live(RunPolicy()))
            let shown = try await events(of: feed)
            #expect(shown.map(\.sequence) == Array(1...shown.count))
            #expect(shown == stored.state.withLock { $0.events })
            let text = shown.map { if case .text(let text) = $0.body { text } else { "" } }.joined()
            #expect(text == "one two")
        }
    }

    @Test func whatNobodyWatchesIsStoredAllTheSame() async throws {
        let stored = StoredRuns()
        try await withRuns(stored: stored, agents: ["documentation": TalkingAgent()]) { runs in
            let origin = RunExecution.Origin.live(RunPolicy(), isWatched: false)
            let feed = try runs.accept(.new(), agent: "documentation", question: question, origin: origin)
            let shown = try await events(of: feed)
            #expect(shown == stored.state.withLock { $0.events })
            #expect(shown.map(\.sequence) == Array(1...shown.count) && shown.last?.body.isFinished == true)
        }
    }

    @Test func aRunThatIsNotOpenedEndsItsAgent() async throws {
        let stored = StoredRuns()
        stored.state.withLock { $0.lease = nil }
        try await withRuns(stored: stored, agents: ["documentation": StartingAgent()]) { runs in
            let feed = try runs.accept(.new(), agent: "documentation", question: question, origin: .live(RunPolicy()))
            await #expect { try await events(of: feed) } throws: { ($0 as? ServiceError)?.code == .aborted }
        }
    }

    @Test func anAgentThatEndsBeforeItAsksItsModelLeavesTheRunToBeOpened() async throws {
        let stored = StoredRuns()
        try await withRuns(stored: stored, agents: ["documentation": StartingAgent(fails: true)]) { runs in
            let feed = try runs.accept(.new(), agent: "documentation", question: question, origin: .live(RunPolicy()))
            guard case .finished(let outcome) = try await events(of: feed).last?.body else { throw Unexpected() }
            #expect(outcome.state == .failed)
        }
    }

    @Test func theFirstCallOfAModelBeginsWithTheRunAndItsEndIsStoredWithTheRuns() async throws {
        let stored = StoredRuns()
        try await withRuns(stored: stored, agents: ["documentation": StartingAgent()]) { runs in
            let feed = try runs.accept(.new(), agent: "documentation", question: question, origin: .live(RunPolicy()))
            _ = try await events(of: feed)
        }
        let (begun, ended) = stored.state.withLock { ($0.begun, $0.ended) }
        #expect(begun.map(\.step) == ["1"] && ended.map(\.step) == ["1"])
        #expect(ended[0].answer?.member("text")?.string == "So.")
    }

    @Test func storageMayBeAwayForAMoment() async throws {
        let stored = StoredRuns()
        stored.state.withLock { $0.failures = 3 }
        try await withRuns(stored: stored, agents: ["documentation": TalkingAgent()]) { runs in
            let feed = try runs.accept(.new(), agent: "documentation", question: question, origin: .live(RunPolicy()))
            let shown = try await events(of: feed)
            #expect(shown.last?.body.isFinished == true)
        }
    }

    @Test func aRunThatIsLeasedToNobodyHereIsNotShownFromHere() async throws {
        let stored = StoredRuns()
        stored.state.withLock { $0.lease = nil }
        try await withRuns(stored: stored, agents: ["documentation": TalkingAgent()]) { runs in
            let feed = try runs.accept(.new(), agent: "documentation", question: question, origin: .live(RunPolicy()))
            await #expect { try await events(of: feed) } throws: { ($0 as? ServiceError)?.code == .aborted }
        }
    }

    @Test func aWriterThatLostItsLeaseGivesUp() async throws {
        let stored = StoredRuns()
        try await withRuns(stored: stored, agents: ["documentation": TalkingAgent()]) { runs in
            let origin = RunExecution.Origin.claimed(attempt: 7, next: 4)
            let feed = try runs.accept(.new(), agent: "documentation", question: question, origin: origin)
            await #expect { try await events(of: feed) } throws: { ($0 as? ServiceError)?.code == .failedPrecondition }
        }
    }

    @Test func aClaimedRunGoesOnBehindItsLastEventAndSaysSo() async throws {
        let stored = StoredRuns()
        stored.state.withLock { $0.lease = 2 }
        try await withRuns(stored: stored, agents: ["documentation": TalkingAgent()]) { runs in
            let origin = RunExecution.Origin.claimed(attempt: 2, next: 4)
            let feed = try runs.accept(.new(), agent: "documentation", question: question, origin: origin)
            let shown = try await events(of: feed)
            #expect(shown.first?.sequence == 4)
            #expect(shown.first?.body == .restarted(attempt: 2))
            #expect(shown.last?.body.isFinished == true)
        }
    }

    @Test func aClaimedRunBeginsBeforeItEndsAlsoWhenItsAgentAnswersAtOnce() async throws {
        try await withRuns(stored: StoredRuns(), agents: [EchoAgent.name: EchoAgent()]) { runs in
            for _ in 0..<200 {
                let origin = RunExecution.Origin.claimed(attempt: 1, next: 1)
                let feed = try runs.accept(.new(), agent: EchoAgent.name, question: question, origin: origin)
                let shown = try await events(of: feed)
                #expect(shown.map(\.sequence) == [1, 2] && shown.map(\.type) == ["status", "finished"])
            }
        }
    }

    @Test func theSameRunIsTakenOnOnce() async throws {
        let stored = StoredRuns(delay: .milliseconds(50))
        try await withRuns(stored: stored, agents: ["documentation": TalkingAgent()]) { runs in
            let run = RunID.new()
            let first = try runs.accept(run, agent: "documentation", question: question, origin: .live(RunPolicy()))
            let second = try runs.accept(run, agent: "documentation", question: question, origin: .live(RunPolicy()))
            #expect(first === second)
            let other = Question(text: question.text, reader: "z", channel: question.channel)
            #expect {
                try runs.accept(run, agent: "documentation", question: other, origin: .live(RunPolicy()))
            } throws: {
                ($0 as? ServiceError)?.code == .alreadyExists
            }
            _ = try await events(of: first)
            #expect(stored.state.withLock { $0.opened } == [run])
        }
    }

    @Test func anUnknownAgentIsRefusedWithTheNamesOfThoseThereAre() async throws {
        try await withRuns(stored: StoredRuns(), agents: ["documentation": TalkingAgent()]) { runs in
            #expect {
                try runs.accept(.new(), agent: "nobody", question: question, origin: .live(RunPolicy()))
            } throws: { error in
                let error = error as? ServiceError
                return error?.code == .invalidArgument && error?.message.contains("documentation") == true
            }
        }
    }

    @Test func overTheMaximumIsRefusedAtOnce() async throws {
        let stored = StoredRuns(delay: .seconds(60))
        try await withRuns(stored: stored, agents: ["documentation": TalkingAgent()], maximum: 20) { runs in
            // The queue is asked for some of them only, so that there is room for those who wait.
            #expect(runs.room == 10)
            for _ in 0..<20 {
                _ = try runs.accept(
                    .new(),
                    agent: "documentation",
                    question: question,
                    origin: .claimed(attempt: 0, next: 1)
                )
            }
            #expect {
                try runs.accept(.new(), agent: "documentation", question: question, origin: .live(RunPolicy()))
            } throws: {
                error in
                (error as? ServiceError)?.code == .resourceExhausted
            }
        }
    }
}
