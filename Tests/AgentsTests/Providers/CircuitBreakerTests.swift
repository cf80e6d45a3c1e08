import ScriptedProvider
import Testing

@testable import Agents

@Suite(.serialized) struct CircuitBreakerTests {
    private let start = ContinuousClock.now

    private func open() -> CircuitState {
        var state = CircuitState(threshold: 2, shortest: .seconds(10))
        for _ in 0..<2 { state.failed(start) }
        return state
    }

    @Test func failuresInARowOpenIt() {
        var state = CircuitState(threshold: 2, shortest: .seconds(10))
        state.failed(start)
        state.succeeded()
        state.failed(start)
        #expect(state.admit(start) == .admitted)
        state.failed(start)
        #expect(state.admit(start + .seconds(4)) == .open(.seconds(6)))
    }

    @Test func afterThePauseOneTriesAndASuccessClosesIt() {
        var state = open()
        #expect(state.admit(start + .seconds(10)) == .admitted)
        #expect(state.admit(start + .seconds(10)) == .open(.seconds(10)))
        state.succeeded()
        #expect(state.admit(start + .seconds(10)) == .admitted)
        #expect(state.admit(start + .seconds(10)) == .admitted)
    }

    @Test func aTrialThatFailsDoublesThePauseUpToAMinute() {
        var state = open()
        var now = start + .seconds(10)
        for pause in [20, 40, 60, 60] {
            #expect(state.admit(now) == .admitted)
            state.failed(now)
            #expect(state.admit(now) == .open(.seconds(pause)))
            now += .seconds(pause)
        }
    }

    @Test func aTrialThatWasCancelledLetsAnotherTry() {
        var state = open()
        #expect(state.admit(start + .seconds(10)) == .admitted)
        state.abandoned()
        #expect(state.admit(start + .seconds(10)) == .admitted)
    }

    @Test func lateFailuresOfOldRequestsDoNotProlongIt() {
        var state = open()
        state.failed(start + .seconds(9))
        #expect(state.admit(start + .seconds(10)) == .admitted)
    }

    @Test func aWishToBeLeftAloneCountsForAll() {
        var state = CircuitState(threshold: 2, shortest: .seconds(10))
        state.hold(.seconds(5), start)
        state.hold(.seconds(3), start)
        state.hold(nil, start)
        #expect(state.admit(start + .seconds(4)) == .held(.seconds(1)))
        #expect(state.admit(start + .seconds(5)) == .admitted)
        state.hold(.seconds(86_400), start)
        #expect(state.admit(start + .seconds(60)) == .admitted)
    }

    @Test func aProviderThatFailsAgainAndAgainIsLeftAlone() async throws {
        try await ScriptedProvider.withServer(answering: { _, _ in .fails(500) }) { provider in
            let settings = ProviderSettings(retries: 0, breaker: CircuitBreaker(failures: 2, pause: .seconds(60)))
            let model = try OpenAIChatModel("m", baseURL: provider.url, settings: settings)
            for _ in 0..<4 { await #expect(throws: AgentError.self) { try await Agent(model: model).run("?") } }
            #expect(provider.requests.count == 2)
            let error = await #expect(throws: AgentError.self) { try await Agent(model: model).run("?") }
            #expect(error?.code == .providerUnavailable)
            #expect(try #require(error?.retryAfter) > .seconds(30))
            // Another model of the same provider is not asked either.
            let sister = try OpenAIChatModel("n", baseURL: provider.url, settings: settings)
            await #expect(throws: AgentError.self) { try await Agent(model: sister).run("?") }
            #expect(provider.requests.count == 2)
        }
    }

    @Test func timeoutsCount() async throws {
        try await ScriptedProvider.withServer(answering: { _, _ in .hangs }) { provider in
            let settings = ProviderSettings(
                timeouts: OpenAIChatModelTests.impatient,
                retries: 0,
                breaker: CircuitBreaker(failures: 1, pause: .seconds(60))
            )
            let model = try OpenAIChatModel("m", baseURL: provider.url, settings: settings)
            let first = await #expect(throws: AgentError.self) { try await Agent(model: model).run("?") }
            let second = await #expect(throws: AgentError.self) { try await Agent(model: model).run("?") }
            #expect(first?.code == .timedOut && second?.code == .providerUnavailable)
        }
    }

    @Test func refusalsDoNotCount() async throws {
        try await ScriptedProvider.withServer([.fails(400), .fails(400), .says("Hello")]) { provider in
            let settings = ProviderSettings(retries: 0, breaker: CircuitBreaker(failures: 1, pause: .seconds(60)))
            let model = try OpenAIChatModel("m", baseURL: provider.url, settings: settings)
            for _ in 0..<2 { await #expect(throws: AgentError.self) { try await Agent(model: model).run("?") } }
            let answer = try await Agent(model: model).run("?").output
            #expect(answer == "Hello")
        }
    }
}
