import AsyncHTTPClient
import NIOCore
import ScriptedProvider
import Synchronization
import Testing

@testable import Agents

extension OpenAIChatModelTests {
    // MARK: Faults

    @Test func aHangBeforeTheFirstByteTimesOut() async throws {
        #expect(try await failure(.hangs, timeouts: Self.impatient, retries: 2).error?.code == .timedOut)
    }

    @Test func aHangInTheMiddleTimesOut() async throws {
        let (error, _) = try await failure(.hangs(afterSaying: "Hel"), timeouts: Self.impatient)
        #expect(error?.code == .timedOut)
    }

    @Test func aComplaintThatIsNotFinishedTimesOutAndIsNotTriedAgain() async throws {
        var complaint = Answer.fails(503, headers: ["retry-after": "0"])
        complaint.steps[complaint.steps.count - 1] = .hang
        let (error, requests) = try await failure(complaint, .says("Hello"), timeouts: Self.impatient, retries: 2)
        #expect(error?.code == .timedOut)
        #expect(requests == 1)
    }

    /// Time is up while a piece waits to be read and others stand behind it.
    @Test func aReaderWhoIsTooSlowMissesNothingInBetween() async throws {
        let pieces = (0..<200).map { "\($0) " + String(repeating: "x", count: 16 << 10) }
        let answer = Answer(pieces.flatMap { Answer.hangs(afterSaying: $0).steps.dropFirst().prefix(1) })
        let begun = Answer.hangs(afterSaying: "").steps.prefix(1)
        try await ScriptedProvider.withServer([Answer(begun + answer.steps + [.hang])]) { provider in
            let settings = ProviderSettings(timeouts: ProviderTimeouts(total: .milliseconds(300)))
            let model = try OpenAIChatModel("m", baseURL: provider.url, settings: settings)
            let heard = Mutex("")
            let error = await #expect(throws: AgentError.self) {
                try await model.respond(to: ModelRequest(messages: [.user("?")])) { event in
                    guard case .text(let text) = event else { return }
                    if heard.withLock(\.isEmpty) { try await Task.sleep(for: .milliseconds(600)) }
                    heard.withLock { $0 += text }
                }
            }
            #expect(error?.code == .timedOut)
            #expect(pieces.joined().hasPrefix(heard.withLock { $0 }))
            await provider.clientLeft()
        }
    }

    @Test func anAnswerThatTakesTooLongInAllTimesOut() async throws {
        let (error, _) = try await failure(.endless, timeouts: ProviderTimeouts(total: .milliseconds(100)))
        #expect(error?.code == .timedOut)
    }

    @Test func anAnswerThatBreaksOffIsAFailureAndNotTriedAgainOnceSomethingWasSaid() async throws {
        let (error, requests) = try await failure(.breaksOff(afterSaying: "Hel"), .says("Hello"), retries: 2)
        #expect(error == AgentError(.providerUnavailable, "The provider's answer broke off."))
        #expect(requests == 1)
    }

    @Test func anAnswerThatBreaksOffBeforeAnythingWasSaidIsTriedAgain() async throws {
        let (events, requests) = try await answer(.hangsUp, .breaksOff(), .says("Hello"))
        #expect(events.first == .text("Hello"))
        #expect(requests == 3)
    }

    @Test func nobodyThereIsUnavailable() async throws {
        let url = try await ScriptedProvider.withServer([]) { $0.url }
        let model = try OpenAIChatModel("m", baseURL: url, settings: ProviderSettings(retries: 1))
        let error = await #expect(throws: AgentError.self) { try await Self.events(of: model) }
        #expect(error?.code == .providerUnavailable)
    }

    @Test func tooManyRequestsWaitAsAsked() async throws {
        let (events, requests) = try await answer(.rateLimited(retryAfter: "0"), .says("Hello"))
        #expect(events.first == .text("Hello"))
        #expect(requests == 2)
    }

    @Test func aLongPauseIsNotWaitedForButTold() async throws {
        let (error, requests) = try await failure(.rateLimited(retryAfter: "31"), retries: 2)
        #expect(error?.code == .rateLimited)
        #expect(error?.retryAfter == .seconds(31))
        #expect(requests == 1)
    }

    @Test func aStormOfFailuresIsGivenUp() async throws {
        let storm = Answer.fails(500, "boom", headers: ["retry-after": "0"])
        let (error, requests) = try await failure(storm, storm, storm, storm, retries: 2)
        #expect(error?.code == .providerUnavailable)
        #expect(error?.message == "The provider failed (HTTP 500). It said: boom")
        #expect(requests == 3)
    }

    @Test(arguments: [408, 409, 429, 500, 502, 503, 529])
    func whatMayPassIsTriedAgain(status: Int) async throws {
        let (_, requests) = try await answer(.fails(status, headers: ["retry-after-ms": "1"]), .says("Hello"))
        #expect(requests == 2)
    }

    @Test(arguments: [301, 307, 400, 401, 403, 404, 413, 422])
    func whatWillNotPassIsNotTriedAgain(status: Int) async throws {
        let headers = ["location": "http://127.0.0.1:1/"]
        let (error, requests) = try await failure(.fails(status, headers: headers), .says("Hello"), retries: 2)
        #expect(error?.code == .providerRefused)
        #expect(requests == 1)
    }

    @Test func anErrorInTheStreamBeforeAnythingWasSaidIsTriedAgain() async throws {
        let error = Answer.events([#"{"error":{"message":"overloaded","code":503}}"#])
        let (events, requests) = try await answer(error, .says("Hello"))
        #expect(events.first == .text("Hello"))
        #expect(requests == 2)
    }

    @Test func anErrorInTheStreamAfterSomethingWasSaidIsFinal() async throws {
        let said = ChatJSON.chunk(delta: #"{"content":"Hel"}"#)
        let answer = Answer.events([said, #"{"error":{"message":"overloaded","code":503}}"#])
        let (error, requests) = try await failure(answer, .says("Hello"), retries: 2)
        #expect(error == AgentError(.providerUnavailable, "The provider failed. It said: overloaded"))
        #expect(requests == 1)
    }

    @Test func whatIsNoAnswerIsInvalid() async throws {
        #expect(try await failure(.page).error?.code == .invalidAnswer)
        #expect(try await failure(.events(["nonsense"])).error?.code == .invalidAnswer)
        #expect(try await failure(.json("[]")).error?.code == .invalidAnswer)
    }

    @Test func aLineWithoutEndIsRefused() async throws {
        #expect(try await failure(.endlessLine).error?.code == .invalidAnswer)
    }

    @Test func anEndlessAnswerIsCutAtItsLimit() async throws {
        let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{"
        let answer = Answer([.write(Array(head.utf8)), .repeatForever([UInt8](repeating: 0x20, count: 1024 * 1024))])
        #expect(try await failure(answer).error?.code == .invalidAnswer)
    }

    @Test func aHugeBodyThatIsNotStreamedIsCutAtItsLimit() async throws {
        let body = #"{"choices":["# + String(repeating: " ", count: ProviderExchange.answerLimit) + "]}"
        #expect(try await failure(.json(body)).error?.code == .invalidAnswer)
    }

    @Test func anErrorWithoutEndIsReadOnlySoFar() async throws {
        #expect(try await failure(.endlessError).error?.code == .providerUnavailable)
    }

    @Test func whatIsNotHTTPIsUnavailable() async throws {
        let answer = Answer([.write(Array("SSH-2.0-OpenSSH_9.2\r\n\r\n".utf8)), .close])
        #expect(try await failure(answer).error?.code == .providerUnavailable)
    }

    // MARK: Cancellation

    @Test func cancellingClosesTheConnectionToTheProvider() async throws {
        for answer in [Answer.hangs, .hangs(afterSaying: "Hel"), .endless] {
            try await ScriptedProvider.withServer([answer]) { provider in
                let agent = Agent(model: try OpenAIChatModel("m", baseURL: provider.url))
                let run = Task { try await agent.run("?") }
                await provider.received(1)
                run.cancel()
                let error = await #expect(throws: AgentError.self) { try await run.value }
                #expect(error?.code == .cancelled)
                await provider.clientLeft()
            }
        }
    }

    @Test func cancellingEndsThePauseBeforeARetry() async throws {
        try await ScriptedProvider.withServer([.rateLimited(retryAfter: "30")]) { provider in
            let agent = Agent(model: try OpenAIChatModel("m", baseURL: provider.url))
            let run = Task { try await agent.run("?") }
            await provider.received(1)
            run.cancel()
            let error = await #expect(throws: AgentError.self) { try await run.value }
            #expect(error?.code == .cancelled)
        }
    }

    @Test func leavingTheStreamClosesTheConnectionToTheProvider() async throws {
        try await ScriptedProvider.withServer([.endless]) { provider in
            let agent = Agent(model: try OpenAIChatModel("m", baseURL: provider.url))
            for try await _ in agent.stream("?") { break }
            await provider.clientLeft()
        }
    }

    @Test func whatTheReaderThrowsClosesTheConnectionToTheProvider() async throws {
        struct Full: Error {}
        try await ScriptedProvider.withServer([.endless]) { provider in
            let agent = Agent(model: try OpenAIChatModel("m", baseURL: provider.url))
            await #expect(throws: Full.self) { try await agent.run("?") { _ in throw Full() } }
            await provider.clientLeft()
            #expect(provider.requests.count == 1)
        }
    }

    @Test func aClientOfOnesOwnCanBeShutDownAfterItsLastRun() async throws {
        try await ScriptedProvider.withServer([.says("Hello"), .hangs]) { provider in
            let client = HTTPClient(
                eventLoopGroupProvider: .singleton,
                configuration: .agents(connect: .seconds(1))
            )
            let model = try OpenAIChatModel("m", baseURL: provider.url, settings: ProviderSettings(client: client))
            let settings = ProviderSettings(timeouts: Self.impatient, client: client)
            let hasty = try OpenAIChatModel("m", baseURL: provider.url, settings: settings)
            await #expect(throws: Never.self) { try await Self.events(of: model) }
            await #expect(throws: AgentError.self) { try await Self.events(of: hasty) }
            try await client.shutdown()
        }
    }
}
