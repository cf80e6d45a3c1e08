/// A model made of a function: for tests, and for putting something of your own in a model's place.
public struct FunctionModel: Model {
    /// What people call it.
    public let name: String
    /// What it can do.
    public let capabilities: ModelCapabilities
    private let function:
        @Sendable (ModelRequest, @escaping @Sendable (ModelEvent) async throws -> Void) async throws -> Void

    /// A model that answers as `function` does; the rules are those of ``Model/respond(to:emit:)``.
    public init(
        name: String = "function",
        capabilities: ModelCapabilities = ModelCapabilities(),
        _ function:
            @escaping @Sendable (
                _ request: ModelRequest,
                _ emit: @escaping @Sendable (ModelEvent) async throws -> Void
            ) async throws -> Void
    ) {
        self.name = name
        self.capabilities = capabilities
        self.function = function
    }

    /// Answers as the function does.
    public func respond(
        to request: ModelRequest,
        emit: @escaping @Sendable (ModelEvent) async throws -> Void
    ) async throws {
        try await function(request, emit)
    }
}
