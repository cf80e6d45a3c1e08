import Contract
import Testing
import Wire

@testable import Gateway

/// What clients of the Model Context Protocol are told of tools before they call them.
@Suite struct MCPToolTests {
    private func hints(_ tool: MCPTool) -> [Bool?] {
        ["readOnlyHint", "openWorldHint"].map { tool.json.member("annotations")?.member($0)?.bool }
    }

    @Test(arguments: [
        ([], true), (["search", "read", "list"], true), (["search", "fetch"], false), (["mcp:tickets/create"], false),
        (["agent:summariser"], false),
    ])
    func anAgentIsSaidToOnlyReadWhereItsToolsReadTheDocumentation(_ tools: [String], onlyReads: Bool) {
        let agent = ListAgents.Agent(name: "a-b", description: "", model: "m", origin: .file, tools: tools)
        #expect(hints(MCPTool(asking: agent)) == [onlyReads, !onlyReads])
    }

    @Test(arguments: [
        ("{}", #""query" is missing: it has to be a string."#),
        (#"{"query":null}"#, #""query" is missing: it has to be a string."#),
        (#"{"query":"x","limit":0}"#, #""limit" has to be a whole number from 1 to 20, not 0."#),
        (#"{"query":"x","limit":-1}"#, #""limit" has to be a whole number from 1 to 20, not -1."#),
        (#"{"query":"x","limit":21}"#, #""limit" has to be a whole number from 1 to 20, not 21."#),
        (#"{"query":"x","limit":"5"}"#, #""limit" has to be a whole number from 1 to 20, not "5"."#),
        (#"{"query":"x","limit":2.5}"#, #""limit" has to be a whole number from 1 to 20, not 2.5."#),
        (#"{"query":"x","limit":2e300}"#, #""limit" has to be a whole number from 1 to 20, not 2e300."#),
        (#"{"qery":"x"}"#, #"There is no argument "qery": search_documentation takes "query" and "limit"."#),
        (#"["x"]"#, #""arguments" has to be an object."#),
    ])
    func argumentsThatTheSchemaDoesNotAllowAreRefused(_ arguments: String, sentence: String) throws {
        let arguments = try JSON(validating: arguments)
        let error = #expect(throws: ServiceError.self) { try MCPTool.search.check(arguments) }
        #expect(error?.message == sentence)
    }

    @Test(arguments: [
        #"{"query":"x"}"#, #"{"query":"x","limit":1}"#, #"{"limit":20,"query":"x"}"#, #"{"query":"x","limit":null}"#,
        #"{"query":"x","limit":5.0}"#, #"{"query":"x","limit":2e0}"#, #"{"query":"x","toolCallId":"7"}"#,
    ])
    func argumentsThatTheSchemaAllowsAreTaken(_ arguments: String) throws {
        let arguments = try JSON(validating: arguments)
        #expect(throws: Never.self) { try MCPTool.search.check(arguments) }
    }

    @Test func theToolsOfTheDocumentationOnlyRead() {
        for tool in MCPTool.ofDocumentation { #expect(hints(tool) == [true, false]) }
    }
}
