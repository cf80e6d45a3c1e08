import Agents

/// What the schema cannot say: whether the parts of a file fit each other.
extension AgentFile {
    func problems(in document: YAMLDocument) -> [AgentFileProblem] {
        switch task {
        case .instructed(let instructed): instructed.problems(in: document)
        case .together(let several):
            several.agents.enumerated().compactMap { index, agent in
                agent == name
                    ? document.problem(at: "/together/agents/\(index)", "an agent cannot be part of itself") : nil
            }
        case .classify, .summarise: []
        }
    }
}

extension AgentFile.Instructed {
    fileprivate func problems(in document: YAMLDocument) -> [AgentFileProblem] {
        variableProblems(document) + toolProblems(document) + serverProblems(document) + outputProblems(document)
    }

    private func variableProblems(_ document: YAMLDocument) -> [AgentFileProblem] {
        let known = Set(variables.keys).union(Template.known)
        let unknown = instructions.variables.filter { !known.contains($0.name) }.map { variable in
            var problem = document.problem(
                at: "/instructions",
                "there is no variable \"\(variable.name)\"; there are \(known.sorted().joined(separator: ", "))"
            )
            // Of a block of lines the first stands under its name; of other text the lines may be folded.
            if document.blocks.contains("/instructions"), let place = problem.place {
                problem.place = .init(line: place.line + 1 + variable.line, column: 1)
            }
            return problem
        }
        let taken = Template.known.filter { variables[$0] != nil }.map { name in
            document.problem(at: "/variables/\(name)", "every run has a value for \"\(name)\" of its own")
        }
        return unknown + taken
    }

    private func toolProblems(_ document: YAMLDocument) -> [AgentFileProblem] {
        var problems: [AgentFileProblem] = []
        var callNames: [String: ToolName] = [:]
        for (index, tool) in tools.enumerated() {
            let pointer = "/tools/\(index)"
            switch tool {
            case .fetch where hosts.isEmpty:
                problems.append(
                    document.problem(at: pointer, "fetch needs the hosts it may fetch from: fetch: {hosts: […]}")
                )
            case .mcp(let server, _) where servers[server] == nil:
                problems.append(document.problem(at: pointer, "there is no server \"\(server)\" under mcp"))
            default: break
            }
            if tool.callName.utf8.count > 64 {
                problems.append(
                    document.problem(at: pointer, "the model would call it \(tool.callName), over 64 letters")
                )
            }
            if let other = callNames.updateValue(tool, forKey: tool.callName) {
                problems.append(
                    document.problem(at: pointer, "the model would call it \(tool.callName), as it calls \(other)")
                )
            }
        }
        for (index, name) in (document.value["approval"]?.strings ?? []).enumerated()
        where !tools.contains(where: { $0.description == name }) {
            problems.append(document.problem(at: "/approval/\(index)", "\"\(name)\" is none of the tools"))
        }
        return problems
    }

    private func serverProblems(_ document: YAMLDocument) -> [AgentFileProblem] {
        servers.flatMap { name, server in
            var problems: [AgentFileProblem] = []
            if case .command(let words) = server.transport, words.first?.hasPrefix("/") != true {
                problems.append(document.problem(at: "/mcp/\(name)/command", "a program is named by its whole path"))
            }
            if !tools.contains(where: { if case .mcp(name, _) = $0 { true } else { false } }) {
                problems.append(document.problem(at: "/mcp/\(name)", "none of its tools is in tools: mcp:\(name)/TOOL"))
            }
            return problems
        }
    }

    private func outputProblems(_ document: YAMLDocument) -> [AgentFileProblem] {
        guard let output else { return [] }
        do {
            _ = try SchemaValidator(output)
            return []
        } catch {
            return [
                document.problem(at: "/output" + error.path, error.path.isEmpty ? "it \(error.reason)" : error.reason)
            ]
        }
    }
}
