/// Stands around every call of a tool: remembers it, and gives back what is remembered instead of calling again.
public protocol ToolJournal: Sendable {
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
