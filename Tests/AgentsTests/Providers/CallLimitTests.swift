import ScriptedProvider
import Synchronization
import Testing

@testable import Agents

@Suite struct CallLimitTests {
    /// What the calls of a test have done.
    private final class Calls: Sendable {
        let order = Mutex<[Int]>([])
        let underWay = Atomic(0)
    }

    private func until(_ isSo: () -> Bool) async throws {
        while !isSo() { try await Task.sleep(for: .milliseconds(1)) }
    }

    @Test func whoComesFirstHasItsTurnFirst() async throws {
        let limit = CallLimit(1)
        let calls = Calls()
        try await limit.take()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<5 {
                group.addTask {
                    try await limit.take()
                    calls.order.withLock { $0.append(number) }
                    limit.giveBack()
                }
                try await until { limit.waiting == number + 1 }
            }
            limit.giveBack()
            try await group.waitForAll()
        }
        #expect(calls.order.withLock { $0 } == [0, 1, 2, 3, 4] && limit.waiting == 0)
    }

    @Test func whoIsCancelledWaitsNoLongerAndTakesNoTurn() async throws {
        let limit = CallLimit(1)
        try await limit.take()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await limit.take() }
            try await until { limit.waiting == 1 }
            group.cancelAll()
            await #expect(throws: CancellationError.self) { try await group.next() }
        }
        #expect(limit.waiting == 0)
        limit.giveBack()
        // The turn is free.
        try await limit.take()
    }

    /// Turns given back, taken and given up at the same time: in the end there are as many as in the beginning.
    @Test func noTurnIsLostOrTakenTwice() async throws {
        let limit = CallLimit(3)
        let calls = Calls()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    await withTaskGroup(of: Void.self) { inner in
                        inner.addTask {
                            guard (try? await limit.take()) != nil else { return }
                            #expect(calls.underWay.add(1, ordering: .relaxed).newValue <= 3)
                            await Task.yield()
                            calls.underWay.subtract(1, ordering: .relaxed)
                            limit.giveBack()
                        }
                        if number.isMultiple(of: 3) { inner.cancelAll() }
                    }
                }
            }
        }
        for _ in 0..<3 { try await limit.take() }
        #expect(limit.waiting == 0)
    }

    @Test func aProviderIsSentNoMoreCallsAtOnceThanItsLimit() async throws {
        let answers = [Answer](repeating: .hangs(afterSaying: "So"), count: 2) + [.says("Yes.")]
        try await ScriptedProvider.withServer(answers) { provider in
            let providers = Providers([Provider("house", baseURL: provider.url, calls: 2)], keys: [:])
            let model = try providers.model("house:m")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 { group.addTask { _ = try? await Agent(model: model).run("?") } }
                await provider.received(2)
                async let third = Agent(model: try providers.model("house:other")).run("?").output
                try await until { providers.waitingCalls == 1 }
                #expect(provider.requests.count == 2)
                // Whoever has the turns does not want them any more.
                group.cancelAll()
                #expect(try await third == "Yes.")
            }
            #expect(providers.waitingCalls == 0)
        }
    }
}
