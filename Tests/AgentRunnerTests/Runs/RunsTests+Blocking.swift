import Agents
import Contract
import Glibc
import Testing
import Wire

@testable import AgentRunner

extension RunsTests {
    /// An agent with a tool that blocks its thread until the test says otherwise.
    struct BlockingAgent: RunnableAgent {
        let reading: CInt
        let isBlocked: AsyncStream<Void>.Continuation
        var modelName: String { "blocking" }

        func answer(
            _ question: Question,
            steps: Steps?,
            trace: TraceParent,
            emit: @escaping @Sendable (RunEvent.Body) throws -> Void
        ) async throws -> Outcome {
            let tool = try Tool("block", "") { (_: NoArguments) in
                isBlocked.yield()
                var byte: UInt8 = 0
                return "late \(read(reading, &byte, 1))"
            }
            let call = ToolCall(id: "1", name: "block", arguments: "{}")
            let answer = try await Agent(model: ScriptedModel(.calls(call), .says("Done.")), tools: [tool]).run("?")
            return Outcome(state: .succeeded, answer: answer.output, supported: true, model: modelName)
        }

        private struct NoArguments: Decodable {}
    }

    /// More runs than there are cores.
    @Test func aRunThatIsStoppedEndsWhileItsToolStillBlocks() async throws {
        var ends: [CInt] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let (reading, writing) = (ends[0], ends[1])
        // Then the tools return.
        defer { close(writing) }
        let (blocked, isBlocked) = AsyncStream<Void>.makeStream()
        let agent = BlockingAgent(reading: reading, isBlocked: isBlocked)
        try await withRuns(stored: StoredRuns(), agents: ["documentation": agent]) { runs in
            let all = (0..<16).map { _ in RunID.new() }
            let feeds = try all.map { run in
                try runs.accept(
                    run,
                    agent: "documentation",
                    question: question,
                    origin: .claimed(attempt: 1, next: 1)
                )
            }
            var count = 0
            for await _ in blocked {
                count += 1
                if count == all.count { break }
            }
            for run in all { runs.stop(run, upTo: 1) }
            for feed in feeds {
                await #expect { try await events(of: feed) } throws: { ($0 as? ServiceError)?.code == .aborted }
            }
        }
    }
}
