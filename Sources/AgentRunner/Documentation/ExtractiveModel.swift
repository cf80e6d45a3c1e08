import Agents

/// The built-in model: it answers by quoting the best sentences of what was found. Needs no key and no network.
struct ExtractiveModel: Model {
    static let modelName = "extractive"

    /// What is asked; the first of several readings to which there is an answer counts.
    let readings: [FollowUp.Reading]
    let passages: Passages

    var name: String { Self.modelName }

    func respond(
        to request: ModelRequest,
        emit: @escaping @Sendable (ModelEvent) async throws -> Void
    ) async throws {
        let answers = readings.lazy.compactMap { reading in
            ExtractiveAnswer(question: reading.text, about: reading.about, passages: passages).text()
        }
        let answer = answers.first
        try await emit(.text(answer ?? DocumentationAgent.unsupported))
        try await emit(.finish(.stop))
    }
}
