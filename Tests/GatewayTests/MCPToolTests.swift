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

    @Test func theToolsOfTheDocumentationOnlyRead() {
        for tool in MCPTool.ofDocumentation { #expect(hints(tool) == [true, false]) }
    }
}
