import Testing

@testable import Agents

@Suite(.serialized) struct HistoryTests {
    private static func result(_ id: String, _ content: String = "x") -> Message {
        .tool(ToolResult(callID: id, name: "t", content: content))
    }

    private static func calls(_ ids: String...) -> Message {
        .assistant(text: "", toolCalls: ids.map { ToolCall(id: $0, name: "t", arguments: "{}") })
    }

    /// What providers ask of a conversation.
    private func isWhole(_ history: [Message]) -> Bool {
        var open: [String] = []
        for message in history {
            switch message {
            case .tool(let result):
                guard open.first == result.callID else { return false }
                open.removeFirst()
            case .assistant(_, let calls, _):
                guard open.isEmpty else { return false }
                open = calls.map(\.id)
            case .system, .user: guard open.isEmpty else { return false }
            }
        }
        return open.isEmpty
    }

    @Test func aWholeHistoryStaysAsItIs() {
        let history: [Message] = [
            .system("s"), .user("?"), Self.calls("1", "2"), Self.result("1"), Self.result("2"), .assistant(text: "a"),
            .user("!"),
        ]
        #expect(History.repaired(history) == history)
    }

    @Test func brokenHistoriesAreMended() {
        let interrupted = "The call was interrupted; what it did is not known."
        #expect(
            History.repaired([Self.calls("1", "2"), .user("Well?"), Self.result("2"), Self.result("9")]) == [
                Self.calls("1", "2"),
                .tool(ToolResult(callID: "1", name: "t", content: interrupted, isError: true)), Self.result("2"),
                .user("Well?"),
            ]
        )
        #expect(History.repaired([Self.result("1"), .assistant(text: "")]).isEmpty)
    }

    @Test func anyHistoryIsMended() {
        var random = SplitMix(seed: 7)
        let pieces: [Message] = [
            .system("s"), .user("?"), .assistant(text: "a"), .assistant(text: ""), Self.calls("1"),
            Self.calls("1", "2"),
            Self.calls("3"), Self.result("1"), Self.result("2"), Self.result("3"), Self.result("1", "again"),
        ]
        for _ in 0..<2_000 {
            let history = (0..<Int.random(in: 0...9, using: &random)).compactMap { _ in
                pieces.randomElement(using: &random)
            }
            let repaired = History.repaired(history)
            #expect(isWhole(repaired), "\(history)")
            #expect(History.repaired(repaired) == repaired)
        }
    }

    @Test func aCancelledRunGoesOn() async throws {
        let began = Gate()
        let tool = try Tool("t", "") { (_: NoArguments) in
            began.open()
            try await Task.sleep(for: .seconds(3600))
            return ""
        }
        let model = ScriptedModel(.calls(ToolCall(id: "1", name: "t", arguments: "")), .says("Fine."))
        let agent = Agent(model: model, tools: [tool])
        let run = Task {
            var steps = agent.iterate("?")
            do { while try await steps.next() != nil {} } catch {}
            return steps.history
        }
        await began.wait()
        run.cancel()
        let history = await run.value
        #expect(history.count == 2)
        #expect(try await agent.run("Never mind.", history: history).output == "Fine.")
        #expect(isWhole(Array(model.requests[1].messages)))
    }
}
