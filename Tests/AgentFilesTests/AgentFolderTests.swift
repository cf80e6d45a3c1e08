import FoundationEssentials
import Testing

@testable import AgentFiles

@Suite struct AgentFolderTests {
    private func folder(_ files: [String: String], builtIn: Set<String> = ["documentation"]) throws -> AgentFolder {
        let path = FileManager.default.temporaryDirectory.path + "/octavo-agents-\(UUID())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        for (name, text) in files { try text.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8) }
        return AgentFolder(path: path, builtIn: builtIn)
    }

    @Test func eachFileIsAnAgent() throws {
        let folder = try folder([
            "b.yaml": "summarise: {}", "a.yml": "instructions: x", "README.md": "no agent", ".hidden.yaml": "{",
        ])
        #expect(folder.agents.map(\.name) == ["a", "b"])
        #expect(folder.problems.isEmpty)
    }

    @Test func aPointBelongsToTheNameAndNoNameHasOne() throws {
        let folder = try folder(["a.b.yaml": "instructions: x", "c.yaml": "instructions: x"])
        #expect(folder.agents.map(\.name) == ["c"])
        #expect(folder.problems.contains { $0.file.hasSuffix("a.b.yaml") && $0.message.contains(#"not "a.b""#) })
    }

    @Test func aFileThatIsWrongLeavesTheOthers() throws {
        let folder = try folder([
            "a.yaml": "instructions: x", "b.yaml": "sumarise: {}", "documentation.yaml": "instructions: x",
            "a.yml": "instructions: y", "latin.yaml": "instructions: x",
        ])
        #expect(folder.agents.map(\.name) == ["a", "latin"])
        #expect(folder.problems.contains { $0.message.contains(#"an agent "documentation" already"#) })
        #expect(folder.problems.contains { $0.message.contains(#"an agent "a" already"#) })
        #expect(folder.problems.contains { $0.file.hasSuffix("b.yaml") && $0.place?.line == 1 })
    }

    @Test func whoNamesNobodyIsNotUsedNorWhoNamesThem() throws {
        let folder = try folder([
            "a.yaml": "together: {agents: [b]}", "b.yaml": "together: {agents: [gone]}",
            "c.yaml": "together: {agents: [documentation]}",
        ])
        #expect(folder.agents.map(\.name) == ["c"])
        #expect(folder.problems.map(\.message) == [#"there is no agent "gone""#, #"there is no agent "b""#])
    }

    @Test func agentsThatWouldAskThemselvesAreNotUsed() throws {
        let folder = try folder([
            "a.yaml": "together: {agents: [b]}", "b.yaml": "instructions: x\ntools: [\"agent:a\"]",
        ])
        #expect(folder.agents.isEmpty)
        #expect(folder.problems.contains { $0.message.contains("ask itself") })
    }

    @Test func aFolderThatIsNotThereHoldsNoAgents() {
        let folder = AgentFolder(path: "/nowhere/at/all")
        #expect(folder.agents.isEmpty && folder.problems.isEmpty)
    }

    @Test func whatIsCheckedIsToldWhatAReloadWouldSay() throws {
        let path = FileManager.default.temporaryDirectory.path + "/octavo-agents-\(UUID())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let files = [
            "a": "together: {agents: [b, summariser]}", "b": "instructions: x\ntools: [\"agent:c\"]",
            "c": "together: {agents: [a]}", "d": "together: {agents: [gone]}", "e": "together: {agents: [f]}",
            "f": "summarise: {}", "echo": "summarise: {}", "g": "oops",
            "command": "summarise: {}",
        ]
        for (name, text) in files { try text.write(toFile: "\(path)/\(name).yaml", atomically: false, encoding: .utf8) }
        func check(_ names: String...) -> AgentFolder { AgentFolder(checking: names.map { "\(path)/\($0).yaml" }) }
        #expect(check("a").problems.map(\.description) == ["\(path)/a.yaml: it would ask itself, by way of others"])
        #expect(check("d").problems.map(\.message) == [#"there is no agent "gone""#])
        #expect(check("e").problems.isEmpty && check("e").agents.map(\.name) == ["e"])
        #expect(check("echo").problems.map(\.message) == [#"there is an agent "echo" already"#])
        #expect(check("f", "g").problems.count == 1)
        #expect(check("command").problems.first?.message.hasPrefix(#"no agent may be called "command""#) == true)
        #expect(AgentFolder(path: path).agents.contains { $0.name == "command" } == false)
    }
}
