import ScriptedProvider
import Synchronization
import Testing

@testable import Agents

@Suite(.timeLimit(.minutes(1))) struct CallLimitTests {
    /// What the calls of a test have done.
    private final class Calls: Sendable {
        let order = Mutex<[Int]>([])
        let underWay = Atomic(0)
    }

    private func until(_ isSo: () -> Bool) async throws {
        for _ in 0..<30_000 where !isSo() { try await Task.sleep(for: .milliseconds(1)) }
        #expect(isSo())
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
        try await withServer { provider in
            let providers = Providers([Provider("house", baseURL: provider.url, calls: 1)], keys: [:])
            try await expect(try providers.model("house:other"), toWaitFor: try providers.model("house:m"), provider) {
                providers.waitingCalls
            }
            #expect(providers.waitingCalls == 0)
        }
    }

    @Test func providersAtOneAddressShareItsTurns() async throws {
        try await withServer { provider in
            // As openai and openai-responses are.
            let names = ["house", "also"]
            let providers = Providers(names.map { Provider($0, baseURL: provider.url, calls: 1) }, keys: [:])
            try await expect(try providers.model("also:m"), toWaitFor: try providers.model("house:m"), provider) {
                providers.waitingCalls
            }
        }
    }

    @Test func whatIsKnownOfAProviderIsKeptUnlessItIsAnotherAccounts() async throws {
        try await ScriptedProvider.withServer([.rateLimited(retryAfter: "60")]) { provider in
            let house = Provider("house", baseURL: provider.url)
            let before = Providers([house], keys: ["house": "one"])
            _ = try? await Agent(model: try before.model("house:m")).run("?")
            let same = Providers([house], keys: ["house": "one"], after: before)
            for providers in [before, same] {
                let refusal = #expect(throws: AgentError.self) { try providers.model("house:m").check() }
                #expect(refusal?.code == .rateLimited)
            }
            try Providers([house], keys: ["house": "two"], after: before).model("house:m").check()
        }
    }

    @Test func callsThatAreUnderWayCountWhenSettingsAreReadAgain() async throws {
        try await withServer { provider in
            let house = Provider("house", baseURL: provider.url, calls: 1)
            let before = Providers([house], keys: [:])
            let after = Providers([house], keys: [:], after: before)
            try await expect(try after.model("house:m"), toWaitFor: try before.model("house:m"), provider) {
                after.waitingCalls
            }
        }
    }

    /// The first who asks hears no end, the second one does.
    private func withServer(_ body: (ScriptedProvider) async throws -> Void) async throws {
        try await ScriptedProvider.withServer([.hangs(afterSaying: "So"), .says("Yes.")], body)
    }

    private func expect(
        _ second: any Model,
        toWaitFor first: any Model,
        _ provider: ScriptedProvider,
        _ waiting: () -> Int
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try? await Agent(model: first).run("?") }
            await provider.received(1)
            async let answer = Agent(model: second).run("?").output
            try await until { waiting() == 1 }
            #expect(provider.requests.count == 1)
            // Whoever has the turn does not want it any more.
            group.cancelAll()
            let said = try await answer
            #expect(said == "Yes.")
        }
    }
}
