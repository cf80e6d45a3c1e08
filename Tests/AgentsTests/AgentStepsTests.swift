import Synchronization
import Testing

@testable import Agents

@Suite(.serialized) struct AgentStepsTests {
    @Test func stepsTellTheRunAndNothingRunsBetweenThem() async throws {
        let model = ScriptedModel(.calls(AgentTests.call("1")), .says("21"))
        var steps = Agent(model: model, tools: [try AgentTests.weather()]).iterate("?")
        #expect(steps.history == [.user("?")])
        #expect(
            try await steps.next()
                == .answered(ModelAnswer(toolCalls: [AgentTests.call("1")], finishReason: .toolCalls))
        )
        #expect(model.requests.count == 1)
        #expect(steps.history.count == 2)
        guard case .called(let results)? = try await steps.next() else {
            Issue.record("The tool was not called.")
            return
        }
        #expect(results.map(\.content) == ["21 in Oslo"])
        #expect(steps.toolCalls == 1)
        #expect(try await steps.next() == .answered(ModelAnswer(text: "21")))
        guard case .finished(let result)? = try await steps.next() else {
            Issue.record("The run did not end.")
            return
        }
        #expect(result.output == "21" && result.history == steps.history && result.requests == 2)
        #expect(try await steps.next() == nil)
    }

    @Test func stepsAreASequence() async throws {
        let agent = Agent(model: ScriptedModel(.says("a")))
        var count = 0
        for try await _ in agent.iterate("?") { count += 1 }
        #expect(count == 2)
    }

    @Test func somethingMayBeSaidBetweenTwoSteps() async throws {
        let model = ScriptedModel(.calls(AgentTests.call("1")), .says("Fine."))
        var steps = Agent(model: model, tools: [try AgentTests.weather()]).iterate("?")
        _ = try await steps.next()
        // The call that waits is answered, or no provider would take the conversation.
        steps.say("Never mind.")
        while try await steps.next() != nil {}
        #expect(model.requests[1].messages.last == .user("Never mind."))
        guard case .tool(let result) = model.requests[1].messages[2] else {
            Issue.record("The call has no result.")
            return
        }
        #expect(result.isError)
    }

    @Test func anErrorEndsTheStepsAndLeavesTheHistory() async throws {
        let model = ScriptedModel(.calls(AgentTests.call("1")), .fails(AgentError(.providerRefused, "No.")))
        var steps = Agent(model: model, tools: [try AgentTests.weather()]).iterate("?")
        _ = try await steps.next()
        _ = try await steps.next()
        let error = await #expect(throws: AgentError.self) { try await steps.next() }
        #expect(error?.code == .providerRefused)
        #expect(try await steps.next() == nil)
        #expect(steps.history.count == 3)
    }
}

@Suite(.serialized) struct RunJournalTests {
    /// Keeps everything, and gives it back in the same order.
    private final class Notes: RunJournal {
        let answers = Mutex<[ModelAnswer]>([])
        let results = Mutex<[String: ToolResult]>([:])
        let position = Mutex(0)

        func rewind() { position.withLock { $0 = 0 } }

        func ask(
            _ request: ModelRequest,
            of model: any Model,
            _ perform: @Sendable () async throws -> ModelAnswer
        ) async throws -> ModelAnswer {
            let number = position.withLock { position in
                position += 1
                return position - 1
            }
            if let known = answers.withLock({ number < $0.count ? $0[number] : nil }) { return known }
            let answer = try await perform()
            answers.withLock { $0.append(answer) }
            return answer
        }

        func call(
            _ call: ToolCall,
            mayRepeat: Bool,
            _ perform: @Sendable () async throws -> ToolResult
        ) async throws -> ToolResult {
            if let known = results.withLock({ $0[call.id] }) { return known }
            let result = try await perform()
            results.withLock { $0[call.id] = result }
            return result
        }
    }

    @Test func aRunWithAJournalIsPaidForOnce() async throws {
        let calls = Mutex(0)
        let tool = try Tool("weather", "", mayRepeat: true) { (place: AgentTests.Place) in
            calls.withLock { $0 += 1 }
            return place.city
        }
        let model = ScriptedModel(.calls(AgentTests.call("1")), .says("Warm."))
        let notes = Notes()
        let agent = Agent(model: model, tools: [tool], journal: notes)
        let first = try await agent.run("?")
        notes.rewind()
        let events = try await agent.stream("?").reduce(into: []) { $0.append($1) }
        #expect(events.contains(.text("Warm.")))
        #expect(events.last == .finished(first))
        #expect(model.requests.count == 2)
        #expect(calls.withLock { $0 } == 1)
    }

    @Test func anErrorOfTheJournalEndsTheRun() async throws {
        struct Refusing: RunJournal {
            func call(
                _ call: ToolCall,
                mayRepeat: Bool,
                _ perform: @Sendable () async throws -> ToolResult
            ) async throws -> ToolResult { throw AgentError(.interrupted, "Look, and ask again.") }
        }
        let model = ScriptedModel(.calls(AgentTests.call("1")), .says("Warm."))
        let agent = Agent(model: model, tools: [try AgentTests.weather()], journal: Refusing())
        let error = await #expect(throws: AgentError.self) { try await agent.run("?") }
        #expect(error?.code == .interrupted)
    }
}
