import AgentFiles
import Agents
import Contract
import Testing
import Wire

@testable import AgentRunner

/// The client of the Model Context Protocol against a real program and a real HTTP server.
@Suite(.serialized) struct MCPClientTests {
    private static let program =
        #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/mcp_server.py"

    private func server(_ mode: String = "fine", seconds: Double = 20) -> AgentFile.MCPServer {
        AgentFile.MCPServer(
            transport: .command(["/usr/bin/python3", Self.program, mode]),
            seconds: seconds,
            readOnly: []
        )
    }

    @Test(arguments: ["fine", "noise"]) func toolsAreListedAndCalled(_ mode: String) async throws {
        try await server(mode).connect("test") { client in
            let tools = try await client.tools()
            #expect(tools.map(\.name) == ["echo", "fail", "environment"])
            #expect(tools[0].parameters["properties"]?["text"] != nil)
            let answer = try await client.call("echo", arguments: ["text": "Hallo\nÖ"])
            #expect(answer == "Hallo\nÖ\n[image, which is not shown]")
            await #expect(throws: ToolError("It broke.")) { try await client.call("fail", arguments: .object([])) }
        }
    }

    @Test func manyCallsAtOnceGetTheirOwnAnswers() async throws {
        try await server().connect("test") { client in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        try await client.call("echo", arguments: ["text": .string("\(number)")]).hasPrefix(
                            "\(number)\n"
                        )
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
        }
    }

    @Test func theProgramGetsNothingOfOurEnvironment() async throws {
        try await server().connect("test") { client in
            let names = try await client.call("environment", arguments: .object([])).split(separator: ",")
            #expect(Set(names).isSubset(of: ["LANG", "PATH", "LC_CTYPE"]), "\(names)")
        }
    }

    @Test(arguments: [("hang", "did not answer"), ("die", "it ended"), ("flood", "it ended")])
    func aServerThatMisbehavesIsGivenUp(_ mode: String, _ reason: String) async throws {
        let error = await #expect(throws: ServiceError.self) {
            try await server(mode, seconds: mode == "hang" ? 0.5 : 20).connect("test") { client in
                _ = try await client.tools()
                _ = try await client.call("echo", arguments: ["text": "x"])
            }
        }
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }

    @Test func aServerThatCannotBeginIsTold() async throws {
        let gone = AgentFile.MCPServer(transport: .command(["/nowhere/server"]), seconds: 1, readOnly: [])
        for (server, reason) in [
            (gone, "could not be started"), (self.server("old"), "none of the versions"),
            (self.server("silent", seconds: 0.3), "did not answer"),
        ] {
            let error = await #expect(throws: ServiceError.self) { try await server.connect("test") { _ in } }
            #expect(
                error?.code == .failedPrecondition && error?.message.contains(reason) == true,
                "\(error?.message ?? "")"
            )
        }
    }
}
