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
            for arguments in [#"{"query":7}"#, "{}"] {
                let answer = try await call(
                    http,
                    "tools/call",
                    #"{"name":"search_documentation","arguments":\#(arguments)}"#
                )
                #expect(answer.member("result")?.member("isError")?.bool == true)
            }
            let missing = try await call(http, "tools/call", #"{"name":"read_section","arguments":{"section":99999}}"#)
            #expect(missing.member("result")?.member("isError")?.bool == true)

            let batch = try await http.post("/mcp", "[]")
            #expect(batch.status == 400)
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
