/// Turns texts into vectors that are near each other where the texts mean the like.
public protocol EmbeddingModel: Sendable {
    /// What its provider calls it.
    var name: String { get }
    /// Who serves it.
    var provider: String { get }

    /// A vector for each text, in their order.
    ///
    /// - Throws: ``AgentError``, `CancellationError`.
    func embed(_ texts: [String]) async throws -> Embeddings
}

/// Vectors, and what they cost.
public struct Embeddings: Sendable, Hashable {
    /// One for each text, all of the same length.
    public var vectors: [[Float]]
    /// What they cost.
    public var usage: Usage

    /// Vectors.
    public init(vectors: [[Float]], usage: Usage = Usage()) {
        self.vectors = vectors
        self.usage = usage
    }
}
