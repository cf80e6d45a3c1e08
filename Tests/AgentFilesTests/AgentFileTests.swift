import Agents
import Testing

@testable import AgentFiles

@Suite struct AgentFileTests {
    private func read(_ text: String, name: String = "triage") throws -> AgentFile {
        try AgentFile(text, name: name, file: "\(name).yaml")
    }

    private func problems(_ text: String, name: String = "triage") -> [String] {
        do {
            _ = try read(text, name: name)
            return []
        } catch {
            return "\(error)".split(separator: "\n").map(String.init)
        }
    }

    @Test func aWholeFileIsRead() throws {
        let file = try read(
            """
            # yaml-language-server: $schema=agent.schema.json
            description: Turns a mail into a ticket.
            model: openai:gpt-5-mini
            fallbacks: [openai:gpt-5-nano]
            temperature: 0
            instructions: |
              You turn mails into tickets for {{ team }}.
              Today is {{date}}. Braces like {{ this }} or {{1}} are text.
            variables: {team: Billing, this: kept}
            tools: [search, fetch, "agent:summariser", mcp:tickets/create]
            approval: ["mcp:tickets/create"]
            approval_seconds: 3600
            fetch: {hosts: ["*.example.com"]}
            mcp:
              tickets: {command: [/usr/bin/tickets, --stdio], seconds: 5}
            output:
              type: object
              required: [title]
              properties:
                title: {type: string}
                country: {enum: [no, se]}
            limits: {requests: 5, dollars: 0.5, seconds: 60}
            conversation: reject
            """
        )
        #expect(file.description == "Turns a mail into a ticket.")
        #expect(file.model == "openai:gpt-5-mini")
        #expect(file.fallbacks == ["openai:gpt-5-nano"])
        #expect(file.options.temperature == 0)
        #expect(file.limits == .init(requests: 5, dollars: 0.5, seconds: 60))
        guard case .instructed(let task) = file.task else { throw WrongTask() }
        let instructions = task.instructions.text(task.variables.merging(["date": "Monday"]) { $1 })
        #expect(
            instructions
                == "You turn mails into tickets for Billing.\nToday is Monday. Braces like kept or {{1}} are text.\n"
        )
        #expect(task.tools == [.search, .fetch, .agent("summariser"), .mcp(server: "tickets", tool: "create")])
        #expect(task.approval == ["mcp:tickets/create"] && task.approvalSeconds == 3_600)
        #expect(task.conversation == .reject)
        #expect(task.servers["tickets"]?.transport == .command(["/usr/bin/tickets", "--stdio"]))
        // YAML 1.1 would read `no` as false.
        #expect(task.output?["properties"]?["country"]?["enum"] == ["no", "se"])
    }

    private struct WrongTask: Error {}

    @Test func theOtherTasksAreRead() throws {
        let classify = try read("classify: {several: true, categories: {bug: It breaks., praise: It is liked.}}")
        #expect(
            classify.task
                == .classify(
                    .init(
                        categories: [
                            .init(name: "bug", description: "It breaks."),
                            .init(name: "praise", description: "It is liked."),
                        ],
                        several: true
                    )
                )
        )
        #expect(
            try read("summarise: {sentences: 2, audience: directors}").task
                == .summarise(.init(sentences: 2, audience: "directors"))
        )
        let together = try read("together: {agents: [documentation, summariser], on_failure: stop}")
        #expect(together.task == .together(.init(agents: ["documentation", "summariser"], failsFast: true)))
        #expect(together.others == ["documentation", "summariser"])
    }

    @Test(arguments: [
        ("instructions: a\nlimits:\n  requests: many", "triage.yaml:3:3: must be an integer"),
        ("instructions: a {{b}}", #"triage.yaml:1:17: there is no variable "b"; there are channel, date, reader"#),
        ("instructions: a\nvariables: {date: x}", "triage.yaml:2:13: every run has a value"),
        ("instructions: a\ntools: [fetch]", "triage.yaml:2:9: fetch needs the hosts"),
        ("instructions: a\ntools: [mcp:x/y]", #"there is no server "x" under mcp"#),
        ("instructions: a\nmcp: {x: {command: [run]}}\ntools: [mcp:x/y]", "a program is named by its whole path"),
        ("instructions: a\nmcp: {x: {url: \"https://a.example/mcp\"}}", "none of its tools is in tools"),
        ("instructions: a\napproval: [fetch]", #""fetch" is none of the tools"#),
        (
            "instructions: a\noutput:\n  type: object\n  properties:\n    a:\n      minlength: 3",
            "triage.yaml:6:7: is not supported"
        ),
        ("instructions: a\noutput: {type: string}", "triage.yaml:2:10: must be"),
        ("instructions: a\noutput_mode: native", "triage.yaml:2:1: there is no output that it could be about"),
        ("instructions: a\noutput: {type: object}\noutput_mode: json", "triage.yaml:3:1: must be one of"),
        ("together: {agents: [a]}\noutput_mode: tool", "triage.yaml:2:1: there is no output that it could be about"),
        ("together: {agents: [triage]}", "an agent cannot be part of itself"),
        ("instructions: a\nmodel: \"openai:\"", "triage.yaml:2:1: a model is written provider:model"),
        ("instructions: a\nfallbacks: [a:b, \":c\"]", "triage.yaml:2:18: a model is written provider:model"),
        ("a: b: c", "triage.yaml:1:5: this is not YAML"), ("a: [1", "this is not YAML"), ("", "the file is empty"),
        ("instructions: *x", "this is not YAML"),
    ]) func whatIsWrongIsToldWithItsLineAndColumn(_ text: String, _ expected: String) {
        let problems = problems(text)
        #expect(problems.contains { $0.contains(expected) }, "\(problems)")
    }

    @Test func namesAreThoseOfPaths() {
        for name in ["a", "release-notes", "v2"] { #expect(AgentFile.isName(name)) }
        for name in ["", "A", "a_b", "-a", "../x", String(repeating: "a", count: 64)] {
            #expect(!AgentFile.isName(name))
        }
        #expect(problems("instructions: a", name: "Bad name") != [])
    }

    @Test func whatGrowsByAliasesIsBounded() {
        let lines = (1...8).map {
            "a\($0): &a\($0) [\(Array(repeating: "*a\($0 - 1)", count: 10).joined(separator: ","))]"
        }
        let bomb = "a0: &a0 [x]\n" + lines.joined(separator: "\n")
        #expect(problems(bomb).first?.contains("more than 10000 values") == true)
        #expect(problems("instructions: " + String(repeating: "x", count: 300_000)).first?.contains("256 KiB") == true)
        #expect(problems(String(repeating: "[", count: 5_000)).first?.contains("32 levels") == true)
        let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(problems("instructions: \(deep)").first?.contains("32 levels") == true)
    }

    @Test func theSchemaOfTheFileIsOneOfItsOwnDialect() throws {
        _ = try SchemaValidator(AgentFileSchema.json)
        for name in AgentFileSchema.onlyInstructed {
            #expect(AgentFileSchema.json["properties"]?[name] != nil, "\(name)")
        }
    }
}
