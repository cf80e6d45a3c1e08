import Contract
import RPC
import Wire

/// The agents that the agent runner of this host offers. Other hosts on the same database may offer others, so what is for one that is not
/// here is accepted, with a word about it.
struct AgentsHere: Sendable {
    private let list: ListAgents.Result

    init(_ list: ListAgents.Result) {
        self.list = list
    }

    /// Nil where nobody answers: then nobody knows.
    static func asked(of service: ServiceOptions) async -> AgentsHere? {
        let answer = try? await service.withService("agent-runner") {
            try await $0.perform(ListAgents(), deadline: ServiceOptions.patience)
        }
        return answer.map(AgentsHere.init)
    }

    /// Nil for an agent that is here.
    func warning(about agent: String) -> String? {
        guard !list.hasAgent(agent) else { return nil }
        return
            "There is no agent \"\(Terminal.oneLine(agent))\" on this host now; what is for it waits until there is one. Agents: \(names)."
    }

    /// What waits for agents that are not here, in words. Another host may have them, and be busy.
    func stranded(_ metrics: GetRunMetrics.Result) -> [String] {
        let queued = metrics.agents.compactMapValues { $0.underWay[RunState.queued.rawValue] }.filter { agent, count in
            // Those beyond the ones that are told apart are not known by name, and commands are no business of the agent runner.
            count > 0 && !list.hasAgent(agent) && ![GetRunMetrics.rest, CommandRun.agent].contains(agent)
        }
        return queued.sorted { $0.key < $1.key }.map { agent, count in
            let runs = count == 1 ? "1 run waits" : "\(count) runs wait"
            return "\(runs) for the agent \"\(Terminal.oneLine(agent))\", which is not on this host"
        }
    }

    /// What to do about it.
    static let mend =
        "Where no other host has it, write its file (octavo help agents), or end them: octavo runs list --state queued, "
        + "octavo runs cancel RUN."

    private var names: String { list.agents.map(\.name).joined(separator: ", ") }
}

extension ServiceOptions {
    /// Says on standard error when an agent that somebody has named is not here.
    func warn(about agent: String?) async {
        guard let agent, let warning = await AgentsHere.asked(of: self)?.warning(about: agent) else { return }
        Terminal.error.line(warning)
    }

    /// What waits for agents that are not here; nothing where that cannot be known.
    func strandedRuns() async -> [String] {
        async let here = AgentsHere.asked(of: self)
        let metrics = try? await withService("storage") {
            try await $0.perform(GetRunMetrics(), deadline: Self.patience)
        }
        guard let metrics, let here = await here else { return [] }
        return here.stranded(metrics)
    }
}
