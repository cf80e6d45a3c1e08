import Agents
import Synchronization
import Testing

@Suite(.serialized) struct TogetherTests {
    private struct Broken: Error {}

    @Test func allAreUnderWayBeforeTheFirstEnds() async throws {
        let begun = Mutex(0)
        let gates = (0..<3).map { _ in Gate() }
        let parts = gates.indices.map { index in
            Together<Int>.Part("\(index)") { _ in
                // The last to begin lets all of them end.
                if begun.withLock({
                    $0 += 1; return $0
                }) == gates.count {
                    gates.forEach { $0.open() }
                }
                await gates[index].wait()
                return index
            }
        }
        let outcomes = try await Together(parts).run()
        #expect(outcomes.map(\.name) == ["0", "1", "2"])
        #expect(try outcomes.map { try $0.result.get() } == [0, 1, 2])
        let lastBegin = outcomes.map(\.began).max() ?? .zero
        #expect(outcomes.allSatisfy { $0.ended >= lastBegin })
    }

    @Test func theFirstFailureStopsTheOthers() async throws {
        let wasCancelled = Mutex(false)
        let together = Together<Int>([
            .init("slow") { _ in
                await Gate().wait()
                wasCancelled.withLock { $0 = Task.isCancelled }
                return 1
            },
            .init("broken") { _ in throw Broken() },
        ])
        await #expect(throws: Broken.self) { try await together.run() }
        #expect(wasCancelled.withLock { $0 })
    }

    @Test func collectedFailuresStandBesideWhatTheOthersCameTo() async throws {
        let told = Mutex<[String]>([])
        let together = Together<Int>(
            [.init("broken") { _ in throw Broken() }, .init("fine") { _ in 1 }],
            onFailure: .collect
        )
        let outcomes = try await together.run { part in told.withLock { $0.append(part.name) } }
        #expect(throws: Broken.self) { try outcomes[0].result.get() }
        #expect(try outcomes[1].result.get() == 1)
        #expect(told.withLock { Set($0) } == ["broken", "fine"])
    }

    @Test func cancellingTheWholeCancelsEach() async throws {
        let begun = Gate()
        let together = Together<Int>(
            [
                .init("slow") { _ in
                    begun.open()
                    await Gate().wait()
                    return 1
                }
            ],
            onFailure: .collect
        )
        let task = Task { try await together.run() }
        await begun.wait()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func agentsSpendOneBudget() async throws {
        let budget = Budget(requests: 3, totalTokens: 1_000)
        let turn = ScriptedModel.Turn([.text("hi"), .usage(Usage(inputTokens: 10, outputTokens: 5)), .finish(.stop)])
        let together = Together<String>(
            (0..<5).map { index in
                .init("\(index)") { budget in
                    try await Agent(model: ScriptedModel(turn), budget: budget).run("?").output
                }
            },
            onFailure: .collect
        )
        let outcomes = try await together.run(within: budget)
        let refused = outcomes.compactMap { outcome -> AgentError? in
            if case .failure(let error as AgentError) = outcome.result { error } else { nil }
        }
        #expect(refused.count == 2 && refused.allSatisfy { $0.code == .limitReached })
        #expect(budget.usage.totalTokens == 45)
    }
}
