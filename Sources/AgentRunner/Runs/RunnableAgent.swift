import Agents
import Contract
import Wire

/// An agent of this service under its name.
protocol RunnableAgent: Sendable {
    /// The model it uses, for the record.
    var modelName: String { get }
    /// Whom it asks; nobody where its model is built in.
    var providers: [String] { get }
    /// What it does about a text that comes while it is at work on an earlier one, where its file says so.
    var conduct: SetConduct.DoubleText? { get }
    /// Whether it does little but wait for its model and its tools. Others have threads where they are in nobody's way.
    var mostlyWaits: Bool { get }
    /// Whether the first thing it does is to ask its model.
    var beginsWithModel: Bool { get }
    /// How many calls its model's provider answers first; 0 where it may be asked at once.
    var callsAhead: Int { get }
    /// How long a run of it may take, with all its attempts and the pauses between them; nil where its file says nothing.
    var wallClock: Duration? { get }
    /// What it is for, a sentence for whoever chooses among agents.
    var description: String { get }
    /// The same with all there is to know; nil for one that nobody chooses.
    func listed(as name: String) -> ListAgents.Agent?
    /// The same agent, its model paying from a budget that others share.
    func paying(from budget: Budget) -> any RunnableAgent
    /// The same agent, asked by a run that has read what others wrote.
    func tainted(by sources: [String]) -> any RunnableAgent

    /// Answers, saying what happens on the way. What it buys are steps, so that it is bought once however often the run goes on
    /// after an interruption. Its calls belong to the trace of whoever asked.
    func answer(
        _ question: Question,
        steps: Steps?,
        trace: TraceParent,
        emit: @escaping @Sendable (RunEvent.Body) throws -> Void
    ) async throws -> Outcome
}

extension RunnableAgent {
    var providers: [String] { [] }
    /// The name under which all runs leave alone whom it asks, where that is wanted. Providers that stand in for each other have one
    /// of their own: each of them may be asked still by whoever asks no other.
    var providerName: String { providers.isEmpty ? modelName : Set(providers).sorted().joined(separator: ", ") }
    var conduct: SetConduct.DoubleText? { nil }
    var mostlyWaits: Bool { false }
    var beginsWithModel: Bool { false }
    var callsAhead: Int { 0 }
    var wallClock: Duration? { nil }
}
