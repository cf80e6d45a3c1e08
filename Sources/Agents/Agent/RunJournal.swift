/// Stands around every call of a model and of a tool in a run: it can keep what came of it, and give that back instead of
/// having it done again. So a run that was broken off goes on without paying twice.
///
/// A run asks its model one request after the other; tools it may call at the same time.
public protocol RunJournal: Sendable {
    /// Puts a request to the model, or knows its answer already; then the reader is shown it whole.
    ///
    /// - Parameter perform: asks the model, and shows the reader the answer while it is written.
    /// - Throws: what `perform` threw, or an ``AgentError``, which ends the run.
    func ask(
        _ request: ModelRequest,
        of model: any Model,
        _ perform: @Sendable () async throws -> ModelAnswer
    ) async throws -> ModelAnswer

    /// Carries out a call, or knows its result already.
    ///
    /// - Parameters:
    ///   - mayRepeat: what the tool says of itself, see ``Tool/mayRepeat``.
    ///   - perform: calls the tool. It throws only when the run is cancelled.
    /// - Throws: ``AgentError``, which ends the run.
    func call(
        _ call: ToolCall,
        mayRepeat: Bool,
        _ perform: @Sendable () async throws -> ToolResult
    ) async throws -> ToolResult
}

extension RunJournal {
    /// Just asks.
    public func ask(
        _ request: ModelRequest,
        of model: any Model,
        _ perform: @Sendable () async throws -> ModelAnswer
    ) async throws -> ModelAnswer { try await perform() }

    /// Just calls.
    public func call(
        _ call: ToolCall,
        mayRepeat: Bool,
        _ perform: @Sendable () async throws -> ToolResult
    ) async throws -> ToolResult { try await perform() }
}
