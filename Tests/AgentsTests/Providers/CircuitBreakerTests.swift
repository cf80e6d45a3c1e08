import ScriptedProvider
import Testing

@testable import Agents

@Suite(.serialized) struct CircuitBreakerTests {
    private let start = ContinuousClock.now

    private let model = ServedModel(name: "m", provider: "house")

    private func circuits() -> Circuits { Circuits(threshold: 2, shortest: .seconds(10)) }

    private func open() -> Circuits {
        var circuits = circuits()
        for _ in 0..<2 { circuits.failed(model, "Away.", start) }
        return circuits
    }

    @Test func failuresInARowOpenIt() {
        var circuits = circuits()
        circuits.failed(model, "Away.", start)
        circuits.succeeded(model)
        circuits.failed(model, "Away.", start)
        #expect(circuits.admit(model, start) == .admitted)
        circuits.failed(model, "Broken.", start)
        #expect(circuits.admit(model, start + .seconds(4)) == .open(.seconds(6), "Broken."))
    }

    @Test func afterThePauseOneTriesAndASuccessClosesIt() {
        var circuits = open()
        #expect(circuits.admit(model, start + .seconds(10)) == .admitted)
        #expect(circuits.admit(model, start + .seconds(10)) == .open(.seconds(10), "Away."))
        circuits.succeeded(model)
        #expect(circuits.admit(model, start + .seconds(10)) == .admitted)
        #expect(circuits.admit(model, start + .seconds(10)) == .admitted)
    }

    @Test func whoOnlyLooksTakesNobodysTrial() {
        var circuits = open()
        #expect(circuits.verdict(model, start + .seconds(1)) == .open(.seconds(9), "Away."))
        for _ in 0..<2 { #expect(circuits.verdict(model, start + .seconds(10)) == .admitted) }
        #expect(circuits.admit(model, start + .seconds(10)) == .admitted)
        #expect(circuits.verdict(model, start + .seconds(10)) == .open(.seconds(10), "Away."))
    }

    @Test func aTrialThatFailsDoublesThePauseUpToAMinute() {
        var circuits = open()
        var now = start + .seconds(10)
        for pause in [20, 40, 60, 60] {
            #expect(circuits.admit(model, now) == .admitted)
            circuits.failed(model, "Away.", now)
            #expect(circuits.admit(model, now) == .open(.seconds(pause), "Away."))
            now += .seconds(pause)
        }
    }

    @Test func whatIsAmissIsToldOfModelsThatFailedOftenAndOfAProviderThatWantsToBeLeftAlone() {
        var circuits = circuits()
        #expect(circuits.troubles(after: 2, start) == [])
        for _ in 0..<2 { circuits.failed(model, "It is away.", start) }
        circuits.failed(ServedModel(name: "other", provider: "house"), "Once.", start)
        let (failed, last) = ("house:m does not answer: it has failed 2 times in a row", "The last time: It is away.")
        let told = "\(failed). \(last)"
        let open = "\(failed), and is left alone for 10 seconds. \(last)"
        #expect(circuits.troubles(after: 2, start + .milliseconds(500)) == [open])
        let start = start + .seconds(10)
        #expect(circuits.troubles(after: 2, start) == [told])
        #expect(circuits.failing(after: 2, start).keys.map(\.name) == ["m"])
        circuits.hold(.seconds(5), askedOf: model, start)
        let wish = "The provider house asked for fewer requests."
        #expect(circuits.troubles(after: 2, start) == [wish, told])
        #expect(circuits.troubles(after: 2, start + .seconds(6)) == [told])
        circuits.succeeded(model)
        #expect(circuits.troubles(after: 2, start + .seconds(6)) == [])
    }

    @Test func aModelThatRefusesWhatItIsAskedIsToldOfAndAskedOn() {
        var circuits = circuits()
        for _ in 0..<2 { circuits.refused(model, "The key is wrong.", start) }
        let told = "house:m has refused what it was asked 2 times in a row. The last time: The key is wrong."
        #expect(circuits.troubles(after: 2, start) == [told] && circuits.admit(model, start) == .admitted)
        #expect(circuits.troubles(after: 3, start) == [])
        // Perhaps its name was wrong, and nobody asks for it any more.
        #expect(circuits.troubles(after: 2, start + .seconds(600)) == [])
        circuits.succeeded(model)
        #expect(circuits.troubles(after: 2, start) == [])
    }

    @Test func aTrialThatWasCancelledLetsAnotherTry() {
        var circuits = open()
        #expect(circuits.admit(model, start + .seconds(10)) == .admitted)
        circuits.abandoned(model)
        #expect(circuits.admit(model, start + .seconds(10)) == .admitted)
    }

    @Test func lateFailuresOfOldRequestsDoNotProlongIt() {
        var circuits = open()
        circuits.failed(model, "Away.", start + .seconds(9))
        #expect(circuits.admit(model, start + .seconds(10)) == .admitted)
    }

    @Test func aWishToBeLeftAloneCountsForAllModelsOfTheProvider() {
        var circuits = circuits()
        let sister = ServedModel(name: "n", provider: "house")
        circuits.hold(.seconds(5), askedOf: model, start)
        circuits.hold(.seconds(3), askedOf: model, start)
        circuits.hold(nil, askedOf: model, start)
        #expect(circuits.admit(sister, start + .seconds(4)) == .held(.seconds(1)))
        #expect(circuits.admit(sister, start + .seconds(5)) == .admitted)
        // As long as it wants, but a year is no answer.
        circuits.hold(.seconds(86_400), askedOf: model, start)
        #expect(circuits.admit(sister, start + .seconds(3_599)) == .held(.seconds(1)))
        #expect(circuits.admit(sister, start + .seconds(3_600)) == .admitted)
    }

    @Test func modelsWithoutNumberAreNotKept() {
        var circuits = Circuits(threshold: 1, shortest: .seconds(10))
        for number in 0..<2_000 { circuits.failed(ServedModel(name: "\(number)", provider: ""), "Away.", start) }
        #expect(circuits.admit(ServedModel(name: "1999", provider: ""), start) == .admitted)
        #expect(circuits.admit(ServedModel(name: "0", provider: ""), start) == .open(.seconds(10), "Away."))
    }

    @Test func aModelThatFailsAgainAndAgainIsLeftAloneAndItsSistersAreAsked() async throws {
        try await ScriptedProvider.withServer(
            answering: { request, _ in request.body.contains(#""n""#) ? .says("Hello") : .fails(500) }
        ) { provider in
            let settings = ProviderSettings(retries: 0, breaker: CircuitBreaker(failures: 2, pause: .seconds(60)))
            let model = try OpenAIChatModel("m", baseURL: provider.url, settings: settings)
            for _ in 0..<4 { await #expect(throws: AgentError.self) { try await Agent(model: model).run("?") } }
            #expect(provider.requests.count == 2)
            let error = await #expect(throws: AgentError.self) { try await Agent(model: model).run("?") }
            #expect(error?.code == .providerUnavailable)
            #expect(try #require(error?.retryAfter) > .seconds(30))
            let sentence = error?.message ?? ""
            #expect(sentence.contains("openai:m failed") && sentence.contains("HTTP 500"), "\(sentence)")
            // Another model of the same provider is, also as the one that takes its place.
            let sister = try OpenAIChatModel("n", baseURL: provider.url, settings: settings)
            let answer = try await Agent(model: FallbackModel(model, [sister])).run("?")
            #expect(answer.output == "Hello" && answer.model == "n")
            #expect(provider.requests.count == 3)
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
