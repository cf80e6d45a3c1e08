import AgentFiles
import Agents
import Contract
import Logging
import RPC
import Synchronization
import Testing
import Wire

@testable import AgentRunner

/// What an agent of a file may do with its tools, and what it may not any more once it has read what others wrote.
@Suite(.serialized) struct FileAgentTests {
    private static let program =
        #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/mcp_server.py"
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private static let server = "mcp: {desk: {command: [/usr/bin/env, python3, \(program)], read_only: [environment]}}"

    private func agent(
        _ yaml: String,
        _ model: any Model,
        others: [String: any RunnableAgent] = [:]
    ) throws -> FileAgent {
        let file = try AgentFile(yaml, name: "test", file: "test.yaml")
        guard case .instructed(let task) = file.task else { throw WrongTask() }
        // Nothing here asks storage: the client never connects.
        let storage = RPCClient(path: "/nowhere", role: .agentRunner, name: "storage", logger: logger)
        return FileAgent(file, task: task, model: model, others: others, storage: storage, logger: logger)
    }

    private struct WrongTask: Error {}

    private func run(_ agent: any RunnableAgent, _ text: String = "?") async throws -> Outcome {
        try await agent.answer(Question(text: text, channel: .http), steps: nil, trace: TraceParent()) { _ in }
    }

    private func call(_ name: String, _ arguments: String = "{}", id: String = "1") -> ScriptedModel.Turn {
        .calls(ToolCall(id: id, name: name, arguments: arguments))
    }

    private func results(_ model: ScriptedModel) -> [String] {
        (model.requests.last?.messages ?? []).compactMap { message in
            if case .tool(let result) = message { result.content } else { nil }
        }
    }

    @Test(arguments: [FinishReason.stop, .length])
    func anAnswerThatEndsInTheMiddleSaysSo(reason: FinishReason) async throws {
        let model = FunctionModel { _, emit in
            try await emit(.text("Once upon a"))
            try await emit(.finish(reason))
        }
        let outcome = try await run(try agent("instructions: Tell.", model))
        #expect(outcome.answer == "Once upon a" && outcome.cutOff == (reason == .length ? true : nil))
    }

    @Test func theOutputModeOfTheFileCounts() async throws {
        let model = ScriptedModel(.says(#"{"a": 1}"#))
        let yaml = "instructions: Tell.\noutput: {type: object}\noutput_mode: prompted"
        #expect(try await run(try agent(yaml, model)).output?.member("a")?.description == "1")
        #expect(model.requests.first?.tools.isEmpty == true)
    }

    @Test(arguments: OutputMode.allCases)
    func theOutputModeCountsForLabelsAndSummariesToo(mode: OutputMode) async throws {
        let labels = #"{"labels":[{"category":"a","confidence":1}]}"#
        let summary = #"{"sentences":[{"text":"It rains.","quotes":["It rains."]}]}"#
        for (task, answer) in [("classify: {categories: {a: A., b: B.}}", labels), ("summarise: {}", summary)] {
            let file = try AgentFile("\(task)\noutput_mode: \(mode)", name: "test", file: "test.yaml")
            let model = ScriptedModel(.says(answer))
            let agent: any RunnableAgent =
                switch file.task {
                case .classify(let task): ClassifierAgent(file: file, task: task, model: model, logger: logger)
                case .summarise(let task): SummariserAgent(file: file, task: task, model: model, logger: logger)
                case .instructed, .together: throw WrongTask()
                }
            #expect(try await run(agent, "It rains.").state == .succeeded)
            let request = try #require(model.requests.first)
            let isTool = mode == .automatic || mode == .tool
            #expect(request.tools.isEmpty != isTool)
            #expect((request.format == .json) == (mode == .prompted))
        }
    }

    @Test func whatSendsDataOutIsRefusedOnceSomethingWasRead() async throws {
        let model = ScriptedModel(
            call("desk_echo", #"{"text": "one"}"#),
            call("desk_echo", #"{"text": "secret"}"#, id: "2"),
            call("desk_environment", id: "3"),
            .says("Done.")
        )
        let yaml = "instructions: Help.\ntools: [mcp:desk/echo, mcp:desk/environment]\n\(Self.server)"
        #expect(try await run(try agent(yaml, model)).answer == "Done.")
        let results = results(model)
        #expect(results.count == 3)
        #expect(results[0].hasPrefix("one"))
        #expect(results[1].contains("needs a person's approval") && results[1].contains("desk_echo"))
        // What its file says only reads is left to it.
        #expect(results[2].contains("PATH"))
    }

    @Test func aPageThatAPersonDidNotNameIsRefusedOnceSomethingWasRead() async throws {
        let model = ScriptedModel(
            call("desk_environment"),
            call("fetch", #"{"address": "https://docs.example.com/?q=secret"}"#, id: "2"),
            .says("Done.")
        )
        let yaml = """
            instructions: Help.
            tools: [mcp:desk/environment, fetch]
            fetch: {hosts: [docs.example.com]}
            \(Self.server)
            """
        _ = try await run(try agent(yaml, model))
        #expect(results(model).last?.contains("fetch needs a person's approval") == true)
    }

    @Test func whatNeedsApprovalInAnyCaseIsRefusedWithoutBeingCalled() async throws {
        let model = ScriptedModel(call("desk_fail"), .says("Done."))
        let yaml = "instructions: Help.\ntools: [mcp:desk/fail]\napproval: [mcp:desk/fail]\n\(Self.server)"
        _ = try await run(try agent(yaml, model))
        #expect(
            results(model) == [
                "desk_fail needs a person's approval, and nobody can be asked. The agent's file says so. Go on without it."
            ]
        )
    }

    @Test func anAddressThatAPersonWroteDownIsFetchedWithoutAnybodysApproval() throws {
        let yaml = "instructions: Help.\ntools: [fetch]\nfetch: {hosts: [docs.example.com]}"
        guard case .instructed(let task) = try AgentFile(yaml, name: "test", file: "test.yaml").task else {
            throw WrongTask()
        }
        let policy = CallPolicy(task: task, written: "See https://docs.example.com/a", taint: Taint())
        func needsApproval(_ address: String) -> Bool {
            let arguments = #"{"address": "https://docs.example.com/\#(address)"}"#
            return policy.demand(for: ToolCall(id: "1", name: "fetch", arguments: arguments)) != nil
        }
        #expect(!needsApproval("a") && !needsApproval("a?q=secret"))
        policy.taint.read(by: "search")
        #expect(!needsApproval("a") && needsApproval("a?q=secret"))
    }

    @Test func anotherAgentIsAskedAndKnowsWhatItsAskerHasRead() async throws {
        let inner = ScriptedModel(call("desk_echo", #"{"text": "secret"}"#), .says("I could not."))
        let helper = try agent("instructions: Send.\ntools: [mcp:desk/echo]\n\(Self.server)", inner)
        let outer = ScriptedModel(
            call("desk_environment"),
            call("ask_help_desk", #"{"input": "Send the secret."}"#, id: "2"),
            .says("Done.")
        )
        let yaml = "instructions: Help.\ntools: [mcp:desk/environment, \"agent:help-desk\"]\n\(Self.server)"
        _ = try await run(try agent(yaml, outer, others: ["help-desk": helper]))
        #expect(results(outer).last == "I could not.")
        #expect(results(inner).first?.contains("needs a person's approval") == true)
    }

    @Test func itsOutputFitsItsSchemaOrGoesBackToTheModel() async throws {
        let model = ScriptedModel(call("answer", #"{"title": 7}"#), call("answer", #"{"title": "Invoice"}"#, id: "2"))
        let yaml = """
            instructions: Make a ticket.
            output: {type: object, required: [title], additionalProperties: false, properties: {title: {type: string}}}
            """
        let outcome = try await run(try agent(yaml, model))
        #expect(outcome.output?.description == #"{"title":"Invoice"}"#)
        #expect(results(model).first?.contains("/title must be a string") == true, "\(results(model))")
    }

    @Test func aServerThatIsGoneIsToldWithItsName() async throws {
        let yaml = "instructions: Help.\ntools: [mcp:gone/x]\nmcp: {gone: {command: [/nowhere/server]}}"
        let error = await #expect(throws: ServiceError.self) {
            try await run(try agent(yaml, ScriptedModel(.says("x"))))
        }
        #expect(error?.message.contains("The server \"gone\"") == true)
        let missing = "instructions: Help.\ntools: [mcp:desk/missing]\n\(Self.server)"
        let other = await #expect(throws: ServiceError.self) {
            try await run(try agent(missing, ScriptedModel(.says("x"))))
        }
        #expect(other?.message.contains("it has no tool \"missing\"") == true)
    }
}
