import Synchronization
import Testing

@testable import Agents

extension AgentTests {
    // MARK: Readers and cancellation

    @Test func whatTheReaderThrowsEndsTheRunAsItIs() async {
        struct Full: Error {}
        let model = ScriptedModel(.says("a", "b"), .says("c"))
        await #expect(throws: Full.self) { try await Agent(model: model).run("?") { _ in throw Full() } }
        #expect(model.requests.count == 1)
    }

    @Test func aSlowReaderHoldsTheModelBack() async throws {
        let said = Mutex(0)
        let model = FunctionModel { _, emit in
            for number in 0..<100 {
                said.withLock { $0 = number + 1 }
                try await emit(.text("x"))
            }
        }
        var iterator = Agent(model: model).stream("?").makeAsyncIterator()
        for _ in 0..<5 { _ = try await iterator.next() }
        #expect(said.withLock { $0 } <= 6)
    }

    @Test func aRunIsCancelledWithItsTask() async {
        let began = Gate()
        let model = FunctionModel { _, _ in
            began.open()
            try await Task.sleep(for: .seconds(3600))
        }
        let run = Task { try await Agent(model: model).run("?") }
        await began.wait()
        run.cancel()
        #expect(await code { _ = try await run.value } == .cancelled)
    }

    @Test func aRunIsCancelledEvenWhileAToolDoesNotStop() async throws {
        let (began, end) = (Gate(), Gate())
        defer { end.open() }
        let tool = try Tool("t", "") { (_: NoArguments) in
            began.open()
            await end.waitWhateverHappens()
            return ""
        }
        let agent = Agent(model: ScriptedModel(.calls(ToolCall(id: "1", name: "t", arguments: ""))), tools: [tool])
        let run = Task { try await agent.run("?") }
        await began.wait()
        run.cancel()
        #expect(await code { _ = try await run.value } == .cancelled)
    }

    @Test func leavingTheStreamCancelsTheRun() async throws {
        let cancelled = Gate()
        let model = FunctionModel { _, emit in
            try await emit(.text("x"))
            try? await Task.sleep(for: .seconds(3600))
            if Task.isCancelled { cancelled.open() }
        }
        for try await _ in Agent(model: model).stream("?") { break }
        await cancelled.wait()
    }

    @Test func aCancelledReaderOfAStreamIsToldSo() async {
        let began = Gate()
        let model = FunctionModel { _, _ in
            began.open()
            try await Task.sleep(for: .seconds(3600))
        }
        let reader = Task { for try await _ in Agent(model: model).stream("?") {} }
        await began.wait()
        reader.cancel()
        #expect(await code { try await reader.value } == .cancelled)
    }

    @Test func aStreamThrowsWhatTheRunThrows() async {
        let model = ScriptedModel(.fails(AgentError(.providerRefused, "No.")))
        #expect(await code { for try await _ in Agent(model: model).stream("?") {} } == .providerRefused)
    }
}
