import Contract
import FoundationEssentials
import NIOHTTP1
import ScriptedProvider
import TestSupport
import Testing
import Wire

/// Octavo as a server of the Model Context Protocol.
@Suite(.serialized) struct MCPTests {
    private func call(_ http: HTTP, _ method: String, _ parameters: String = "{}") async throws -> JSON {
        let body = #"{"jsonrpc":"2.0","id":"a1","method":"\#(method)","params":\#(parameters)}"#
        let answer = try await http.post("/mcp", body, headers: ["accept": "application/json, text/event-stream"])
        #expect(answer.status == 200, "\(answer.body)")
        #expect(answer.json?.member("id")?.string == "a1" && answer.json?.member("jsonrpc")?.string == "2.0")
        return try #require(answer.json)
    }

    private func text(_ answer: JSON) -> String {
        answer.member("result")?.member("content")?.elements?.first?.member("text")?.string ?? answer.description
    }

    @Test func theDocumentationAndTheAgentsAreTools() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            try await house.importBook("Handbook", handbook)
            let http = HTTP(house: house)

            let hello = try await call(http, "initialize", #"{"protocolVersion":"2025-06-18","capabilities":{}}"#)
            #expect(hello.member("result")?.member("protocolVersion")?.string == "2025-06-18")
            let notified = try await http.post("/mcp", #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
            #expect(notified.status == 202 && notified.body.isEmpty)

            let tools = try await call(http, "tools/list").member("result")?.member("tools")?.elements ?? []
            let names = tools.compactMap { $0.member("name")?.string }
            #expect(
                names == ["search_documentation", "read_section", "list_books", "ask_documentation", "ask_summariser"]
            )

            let found = try await call(
                http,
                "tools/call",
                #"{"name":"search_documentation","arguments":{"query":"day off"}}"#
            )
            #expect(text(found).contains("Asking for a day off"))
            let number = try #require(text(found).split(whereSeparator: { !$0.isNumber }).first)
            let read = try await call(
                http,
                "tools/call",
                #"{"name":"read_section","arguments":{"section":\#(number)}}"#
            )
            #expect(text(read).contains("write to your lead"))
            let books = try await call(http, "tools/call", #"{"name":"list_books"}"#)
            #expect(text(books).contains("Handbook"))
            let asked = try await call(
                http,
                "tools/call",
                #"{"name":"ask_documentation","arguments":{"input":"How do I request a day off?"}}"#
            )
            #expect(text(asked).contains("two weeks before") && text(asked).contains("[1] section"))
        }
    }

    @Test func whatCannotBeDoneIsSaid() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            let http = HTTP(house: house)
            func code(_ answer: JSON) -> Int? { answer.member("error")?.member("code")?.integer }
            let wrong = [("tools/move", "{}"), ("tools/call", "{}"), ("tools/call", #"{"name":"ask_nobody"}"#)]
            var codes: [Int?] = []
            for (method, parameters) in wrong { codes.append(code(try await call(http, method, parameters))) }
            #expect(codes == [-32601, -32602, -32602])
            // What a model can mend is a result.
            for (arguments, sentence) in [
                (#"{"query":7}"#, #""query" has to be a string"#), ("{}", #""query" is missing"#),
                (#"{"query":"x","limit":21}"#, #""limit" has to be a whole number from 1 to 20, not 21"#),
            ] {
                let answer = try await call(
                    http,
                    "tools/call",
                    #"{"name":"search_documentation","arguments":\#(arguments)}"#
                )
                #expect(answer.member("result")?.member("isError")?.bool == true)
                #expect(text(answer).contains(sentence), "\(answer)")
            }
            let asked = try await call(http, "tools/call", #"{"name":"ask_summariser","arguments":{"inptu":"x"}}"#)
            #expect(text(asked).contains(#"There is no argument "inptu": ask_summariser takes "input"."#), "\(asked)")
            let missing = try await call(http, "tools/call", #"{"name":"read_section","arguments":{"section":99999}}"#)
            #expect(missing.member("result")?.member("isError")?.bool == true)

            let got = try await http.get("/mcp")
            #expect(got.status == 405)
            let foreign = try await http.post(
                "/mcp",
                #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#,
                headers: ["origin": "https://evil.test"]
            )
            #expect(foreign.status == 403)
        }
    }

    @Test func whatIsNoRequestOfTheProtocolIsRefused() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            let http = HTTP(house: house)
            let ping = #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#
            for (body, code, words) in [
                (#"{"jsonrpc":"2.0","id":1"#, -32700, "not valid JSON"), ("", -32700, "not valid JSON"),
                ("[\(ping)]", -32600, "Batches are not taken"), ("[]", -32600, "Batches are not taken"),
                ("7", -32600, "like"),
                (#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, -32600, "jsonrpc"),
                (#"{"id":1,"method":"ping"}"#, -32600, "jsonrpc"),
                (#"{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}"#, -32600, "id"),
                (#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600, "id"),
                (#"{"jsonrpc":"2.0","id":1,"method":7}"#, -32600, "method"),
            ] {
                let answer = try await http.post("/mcp", body)
                let error = answer.json?.member("error")
                #expect(answer.status == 400 && error?.member("code")?.integer == code, "\(body): \(answer)")
                #expect(error?.member("message")?.string?.contains(words) == true, "\(body): \(answer)")
                #expect(answer.json?.member("id") != nil && answer.string("jsonrpc") == "2.0", "\(answer)")
            }
            let old = try await http.post("/mcp", ping, headers: ["mcp-protocol-version": "1999-01-01"])
            #expect(old.status == 400 && old.string("detail")?.contains("2025-06-18") == true, "\(old)")
            let now = try await http.post("/mcp", ping, headers: ["mcp-protocol-version": "2025-06-18"])
            #expect(now.status == 200, "\(now)")
            // What some clients send: their own version before any is agreed on, and null for what has no id.
            let hello = #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"1999-01-01"}}"#
            let first = try await http.post("/mcp", hello, headers: ["mcp-protocol-version": "1999-01-01"])
            #expect(first.status == 200 && first.body.contains("2025-11-25"), "\(first)")
            let done = #"{"jsonrpc":"2.0","id":null,"method":"notifications/initialized"}"#
            let noted = try await http.post("/mcp", done)
            #expect(noted.status == 202, "\(noted)")
        }
    }

    @Test func anAgentOfAFileUsesAServerOverHTTPWhichIsOctavoItself() async throws {
        let folder = "/tmp/octavo-mcp-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let script: @Sendable (RecordedRequest, Int) -> Answer = { _, position in
            position == 0
                ? .calls(ScriptedCall(id: "1", name: "house_list_books", arguments: "{}")) : .says("There is one.")
        }
        try await ScriptedProvider.withServer(answering: script) { provider in
            let settings = [
                "OCTAVO_AGENTS": folder, "OPENAI_BASE_URL": provider.url, "OCTAVO_MODEL": "scripted",
            ]
            try await TestHouse.run(database: TestDatabase.make(), settings: settings) { house in
                try await house.waitUntilReady()
                try await house.importBook("Handbook", handbook)
                let yaml = """
                    instructions: Help.
                    tools: [mcp:house/list_books]
                    mcp: {house: {url: "\(house.address)/mcp"}}
                    """
                try yaml.write(toFile: folder + "/librarian.yaml", atomically: true, encoding: .utf8)
                let reload = try await house.octavo(
                    ["reload", "agent-runner", "--yes", "--run-folder", house.runFolder]
                )
                #expect(reload.errors.isEmpty, "\(reload)")
                let answer = try await HTTP(house: house).post(
                    "/v1/agents/librarian/runs",
                    #"{"input":"Which books?"}"#
                )
                #expect(answer.string("answer") == "There is one.", "\(answer.body)")
                #expect(provider.requests.last?.body.contains("Handbook (") == true)
            }
        }
    }
}
