import AgentFiles
import Agents
import Contract
import Wire

/// Puts the same text to several agents at once. They share a budget, and are done as soon as the slowest of them.
struct TogetherAgent: RunnableAgent {
    let file: AgentFile
    /// The agents by name, in the order of the file.
    private(set) var parts: [(name: String, agent: any RunnableAgent)]
    let failsFast: Bool
    /// That of another it is part of; its own without.
    private var budget: Budget?

    init(file: AgentFile, parts: [(name: String, agent: any RunnableAgent)], failsFast: Bool) {
        self.file = file
        self.parts = parts
        self.failsFast = failsFast
    }

    var modelName: String {
        var seen: Set<String> = []
        return parts.map(\.agent.modelName).filter { seen.insert($0).inserted }.joined(separator: ", ")
    }

    var providers: [String] { parts.flatMap(\.agent.providers) }
    var callsAhead: Int { parts.map(\.agent.callsAhead).max() ?? 0 }
    var description: String { file.description }
    /// With its parts', where the first failure ends all.
    var wallClock: Duration? {
        ([file.limits.wallClock] + (failsFast ? parts.map(\.agent.wallClock) : [])).compactMap(\.self).min()
    }

    func listed(as name: String) -> ListAgents.Agent? {
        ListAgents.Agent(
            name: name,
            description: description,
            model: modelName,
            origin: .file,
            tools: parts.map { "agent:\($0.name)" }
        )
    }

    func paying(from budget: Budget) -> any RunnableAgent {
        var agent = self
        agent.budget = budget
        return agent
    }

    func tainted(by sources: [String]) -> any RunnableAgent {
        with { $0.tainted(by: sources) }
    }

    private func with(_ change: (any RunnableAgent) -> any RunnableAgent) -> TogetherAgent {
        var agent = self
        agent.parts = parts.map { ($0.name, change($0.agent)) }
        return agent
    }

    func answer(
        _ question: Question,
        steps: Steps?,
        trace: TraceParent,
        emit: @escaping @Sendable (RunEvent.Body) throws -> Void
    ) async throws -> Outcome {
        // Theirs by name, to be asked for what was used also by one that has failed.
        var partSteps: [String: Steps] = [:]
        for part in parts { partSteps[part.name] = try steps?.part(part.name) }
        return try await answer(question, steps, partSteps, trace, emit)
    }

    private func answer(
        _ question: Question,
        _ steps: Steps?,
        _ partSteps: [String: Steps],
        _ trace: TraceParent,
        _ emit: @escaping @Sendable (RunEvent.Body) throws -> Void
    ) async throws -> Outcome {
        let together = Together<Outcome?>(
            parts.map { part in
                .init(part.name) { budget in
                    do {
                        return try await part.agent.paying(from: budget).answerUnlessAwaiting(
                            question,
                            steps: partSteps[part.name],
                            trace: trace
                        ) { event in
                            // What they say would be mixed up; what they come to follows as a part each.
                            if case .search = event { try emit(event) }
                        }
                    } catch is AwaitsApproval {
                        // No failure: the others go on to their ends, and are not bought again when somebody has decided.
                        return nil
                    }
                }
            },
            onFailure: failsFast ? .stop : .collect
        )
        let ended = try await withinTime(after: steps) {
            try await together.run(within: budget ?? Budget(file.limits)) { part in
                guard let outcome = outcome(of: part, partSteps) else { return }
                try emit(.part(agent: part.name, outcome: outcome))
            }
        }
        return try outcome(of: ended, partSteps)
    }

    private func withinTime(
        after steps: Steps?,
        _ run: @escaping @Sendable () async throws -> [Together<Outcome?>.Outcome]
    ) async throws -> [Together<Outcome?>.Outcome] {
        guard let seconds = file.limits.seconds else { return try await run() }
        let left = Duration.seconds(seconds) - (try await steps?.timeSpent() ?? .zero)
        let late = AgentError(.limitReached, "The agents took longer than the \(seconds) seconds they have together.")
        guard left > .zero else { throw late }
        return try await withThrowingTaskGroup(of: [Together<Outcome?>.Outcome]?.self) { group in
            group.addTask { try await run() }
            group.addTask {
                try await Task.sleep(for: left)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let outcomes = first else { throw late }
            return outcomes
        }
    }

    /// A part that failed is an outcome like any other; one that waits for a person has none yet.
    private func outcome(of part: Together<Outcome?>.Outcome, _ steps: [String: Steps]) -> Outcome? {
        switch part.result {
        case .success(let outcome): return outcome
        case .failure(let error):
            let model = parts.first { $0.name == part.name }?.agent.modelName ?? ""
            return RunFailure(error).outcome(of: model, steps[part.name]?.usage ?? Contract.Usage())
        }
    }

    /// What all parts have failed by, where that may pass: of several the one that says when.
    private static func passing(_ ended: [Together<Outcome?>.Outcome]) -> (any Error)? {
        var passing: [(error: any Error, failure: RunFailure)] = []
        for part in ended {
            switch part.result {
            case .success(let outcome) where outcome?.state != .failed: return nil
            case .success: break
            case .failure(let error): passing.append((error, RunFailure(error)))
            }
        }
        passing.removeAll { !$0.failure.mayPass }
        let held = passing.first(where: \.failure.holdsProvider) ?? passing.first { $0.failure.retryAfter != nil }
        return (held ?? passing.first)?.error
    }

    /// The whole fails only when every part has; and is tried again where one of them may pass.
    private func outcome(of ended: [Together<Outcome?>.Outcome], _ steps: [String: Steps]) throws -> Outcome {
        if let passing = Self.passing(ended) { throw passing }
        let outcomes = try ended.map { part in
            guard let outcome = outcome(of: part, steps) else { throw AwaitsApproval() }
            return (name: part.name, outcome: outcome)
        }
        let failure = outcomes.allSatisfy { $0.outcome.state == .failed } ? outcomes.first?.outcome.error : nil
        let answer = outcomes.map { name, outcome in
            "\(name): \(outcome.answer ?? outcome.error?.message ?? "")"
        }
        var whole = Outcome(
            state: failure == nil ? .succeeded : .failed,
            answer: failure == nil ? answer.joined(separator: "\n\n") : nil,
            output: try JSON(encoding: Dictionary(outcomes.map { ($0.name, $0.outcome) }) { first, _ in first }),
            supported: outcomes.contains { $0.outcome.supported },
            error: failure,
            model: modelName,
            usage: outcomes.reduce(into: Contract.Usage()) { $0 += $1.outcome.usage },
            timeline: zip(ended, outcomes).flatMap { spans(of: $0, $1.outcome) }
        )
        if outcomes.contains(where: { $0.outcome.cutOff == true }) { whole.cutOff = true }
        return whole
    }

    /// Its own, and below it those of agents that are several themselves.
    private func spans(of part: Together<Outcome?>.Outcome, _ outcome: Outcome) -> [Span] {
        let begin = part.began.milliseconds
        let own = Span(name: "agent/\(part.name)", startMilliseconds: begin, endMilliseconds: part.ended.milliseconds)
        return [own] + outcome.timeline.map { $0.within("agent/\(part.name)", from: begin) }
    }
}

extension Span {
    /// The span as one below another that began at `begin`: `agent/a` within `agent/b` is `agent/b/a`.
    func within(_ outer: String, from begin: Int) -> Span {
        Span(
            name: outer + name.dropFirst("agent".count),
            startMilliseconds: startMilliseconds + begin,
            endMilliseconds: endMilliseconds + begin
        )
    }
}

extension Duration {
    var milliseconds: Int {
        Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }
}

extension Budget {
    /// The library's own where the file says nothing.
    convenience init(_ limits: AgentFile.Limits) {
        self.init(
            requests: limits.requests ?? 64,
            totalTokens: limits.tokens ?? 1_000_000,
            microdollars: limits.dollars.map { Int($0 * 1_000_000) }
        )
    }
}
