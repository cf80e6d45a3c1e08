import Agents

/// What the schema cannot say: whether the parts of a file fit each other.
extension AgentFile {
    /// Whether it says one thing that the agent does, and only what goes with that.
    static func taskProblems(_ document: YAMLDocument) -> [AgentFileProblem] {
        guard let names = document.value.members?.map(\.name) else { return [] }
        let known = AgentFileSchema.json["properties"]?.members?.map(\.name) ?? []
        let tasks = names.filter(AgentFileSchema.taskNames.contains)
        guard let task = tasks.first else {
            // It may be the one that is misspelt.
            guard names.allSatisfy(known.contains) else { return [] }
            return [
                document.problem(
                    at: "",
                    "it does not say what the agent does: instructions, classify, summarise or together"
                )
            ]
        }
        let others = tasks.dropFirst().map {
            document.problem(at: "/\($0)", "\($0) and \(task) exclude each other: an agent does one of them")
        }
        guard !tasks.contains("instructions") else { return others }
        return others
            + names.filter(AgentFileSchema.onlyInstructed.contains).map {
                document.problem(at: "/\($0)", "\($0) goes with instructions only, not with \(task)")
            }
    }

    func problems(in document: YAMLDocument) -> [AgentFileProblem] {
        modelProblems(document) + taskProblems(document) + modeProblems(document)
    }

    private func modeProblems(_ document: YAMLDocument) -> [AgentFileProblem] {
        let hasOutput =
            switch task {
            case .instructed(let instructed): instructed.output != nil
            case .classify, .summarise: true
            // Each of them has its own.
            case .together: false
            }
        guard !hasOutput, document.value["output_mode"] != nil else { return [] }
        return [document.problem(at: "/output_mode", "there is no output that it could be about")]
    }

    /// What no agent runner could make sense of. Whether there is such a provider, and its model, it alone knows.
    private func modelProblems(_ document: YAMLDocument) -> [AgentFileProblem] {
        let names = [("/model", model ?? "")] + fallbacks.enumerated().map { ("/fallbacks/\($0)", $1) }
        return names.filter { $1.hasPrefix(":") || $1.hasSuffix(":") }.map { pointer, name in
            let form = "a model is written provider:model, such as openai:gpt-5-mini"
            return document.problem(at: pointer, "\(form); not \"\(name)\"")
        }
    }

    private func taskProblems(_ document: YAMLDocument) -> [AgentFileProblem] {
        switch task {
        case .instructed(let instructed): instructed.problems(of: name, in: document)
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
    fileprivate func problems(of name: String, in document: YAMLDocument) -> [AgentFileProblem] {
        variableProblems(document) + toolProblems(of: name, document) + hostProblems(document)
            + serverProblems(document) + outputProblems(document)
    }

    private func variableProblems(_ document: YAMLDocument) -> [AgentFileProblem] {
        let known = Set(variables.keys).union(Template.known)
        // Where the braces stand, whatever the text around them is folded or quoted like.
        let places = document.place(of: "/instructions").map { document.places(of: "{{", from: $0) } ?? []
        func problem(_ number: Int, _ message: String) -> AgentFileProblem {
            var problem = document.problem(at: "/instructions", message)
            if number <= places.count { problem.place = places[number - 1].place }
            return problem
        }
        let unknown = instructions.variables.filter { !known.contains($0.name) }.map { variable in
            problem(variable.number, Spelling.unknown(variable.name, "variable ", among: known.sorted()))
        }
        let strays = instructions.strays.filter { $0.isClosed || known.contains($0.name) }.map { stray in
            let what = stray.isClosed ? "is no variable" : "is not closed"
            let form = "a variable is written {{name}}, its name in small letters, digits and _, without spaces"
            return problem(stray.number, "\"\(stray.written)\" \(what): \(form)")
        }
        let taken = Template.known.filter { variables[$0] != nil }.map { name in
            document.problem(at: "/variables/\(name)", "every run has a value for \"\(name)\" of its own")
        }
        return unknown + strays + taken
    }

    private func toolProblems(of name: String, _ document: YAMLDocument) -> [AgentFileProblem] {
        var problems: [AgentFileProblem] = []
        var callNames: [String: ToolName] = [:]
        for (index, tool) in tools.enumerated() {
            let pointer = "/tools/\(index)"
            switch tool {
            case .fetch where hosts.isEmpty:
                problems.append(
                    document.problem(at: pointer, "fetch needs the hosts it may fetch from: fetch: {hosts: […]}")
                )
            case .agent(name): problems.append(document.problem(at: pointer, "an agent cannot ask itself"))
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

    /// A number is an address, of this machine or of others: only names are looked up and found to be of the internet.
    private func hostProblems(_ document: YAMLDocument) -> [AgentFileProblem] {
        hosts.enumerated().filter { $1.split(separator: ".").last?.first?.isNumber == true }.map { index, host in
            document.problem(
                at: "/fetch/hosts/\(index)",
                "\"\(host)\" is an address: pages are fetched from hosts of the internet, by their names"
            )
        }
    }

    private func serverProblems(_ document: YAMLDocument) -> [AgentFileProblem] {
        servers.flatMap { name, server in
            var problems: [AgentFileProblem] = []
            let written = document.value["mcp"]?[name]
            switch (written?["command"], written?["url"]) {
            case (nil, nil):
                problems.append(document.problem(at: "/mcp/\(name)", "say how it is reached: by a command, or a url"))
            case (_?, _?):
                problems.append(document.problem(at: "/mcp/\(name)/url", "command and url exclude each other"))
            default: break
            }
            if case .command(let words) = server.transport, words.first?.hasPrefix("/") == false {
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
