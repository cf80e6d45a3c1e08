import AgentFiles
import Agents
import Contract
import Daemon
import Logging
import RPC
import Wire

/// An agent of a file that follows its instructions.
struct FileAgent: RunnableAgent {
    let file: AgentFile
    let task: AgentFile.Instructed
    let model: any Model
    /// What it may spend together with others.
    private(set) var budget: Budget?
    /// The agents it may ask, by name.
    let others: [String: any RunnableAgent]
    /// What the run has read that asks it.
    private(set) var inherited: [String] = []
    let storage: RPCClient
    let logger: Logger

    init(
        _ file: AgentFile,
        task: AgentFile.Instructed,
        model: any Model,
        others: [String: any RunnableAgent],
        storage: RPCClient,
        logger: Logger
    ) {
        self.file = file
        self.task = task
        self.model = model
        self.others = others
        self.storage = storage
        self.logger = logger
    }

    var modelName: String { model.name }
    var providers: [String] { model.providers }
    var callsAhead: Int { model.callsAhead }
    var description: String { file.description }
    var wallClock: Duration? { file.limits.wallClock }
    var conduct: SetConduct.DoubleText? { task.conversation.flatMap { SetConduct.DoubleText(rawValue: $0.rawValue) } }
    var mostlyWaits: Bool { true }
    var beginsWithModel: Bool { task.tools.isEmpty }

    func listed(as name: String) -> ListAgents.Agent? {
        ListAgents.Agent(
            name: name,
            description: file.description,
            model: modelName,
            origin: .file,
            tools: task.tools.map(\.description),
            output: task.output.map { JSON(trusted: $0.text) }
        )
    }

    func paying(from budget: Budget) -> any RunnableAgent {
        var agent = self
        agent.budget = budget
        return agent
    }

    func tainted(by sources: [String]) -> any RunnableAgent {
        var agent = self
        agent.inherited = sources
        return agent
    }

    func answer(
        _ question: Question,
        steps: Steps?,
        trace: TraceParent,
        emit: @escaping @Sendable (RunEvent.Body) throws -> Void
    ) async throws -> Outcome {
        let earlier = task.conversation == .alone ? nil : try await steps?.earlier()
        let limits = try await AgentLimits(file.limits, after: steps)
        let run = FileRun(of: self, question, after: earlier, within: limits, steps: steps, trace: trace, emit: emit)
        return try await run.answer()
    }
}

extension AgentFile.Limits {
    /// With all attempts of a run, and the pauses between them.
    var wallClock: Duration? { seconds.map { .seconds($0) } }
}

extension AgentLimits {
    /// The library's own where the file says nothing. Time counts from the first attempt.
    init(_ limits: AgentFile.Limits?, after steps: Steps?) async throws {
        self.init()
        if let requests = limits?.requests { self.requests = requests }
        if let toolCalls = limits?.toolCalls { self.toolCalls = toolCalls }
        if let tokens = limits?.tokens { totalTokens = tokens }
        if let dollars = limits?.dollars { microdollars = Int(dollars * 1_000_000) }
        guard let limit = limits?.wallClock else { return }
        wallClock = limit
        wallClockSpent = try await steps?.timeSpent() ?? .zero
    }
}
