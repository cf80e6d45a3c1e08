import FoundationEssentials
import NIOCore
import Synchronization

/// A model behind OpenAI's Embeddings API, or a server that speaks it. Many texts are sent in batches, one after the other.
public struct OpenAIEmbeddingModel: EmbeddingModel {
    /// Texts of one request; OpenAI takes 2,048, smaller servers less.
    private static let batch = 128

    /// The model's name at the provider.
    public let name: String
    /// Who serves it.
    public let provider: String
    private let dimensions: Int?
    private let price: Price?
    private let link: ProviderLink

    /// A model at a provider. The parameters are those of
    /// ``OpenAIChatModel/init(_:provider:baseURL:key:capabilities:price:settings:)``.
    ///
    /// - Parameter dimensions: How long the vectors are to be, for models that can shorten them.
    /// - Throws: ``AgentError/Code/misconfigured``.
    public init(
        _ name: String,
        provider: String = "openai",
        baseURL: String = "https://api.openai.com/v1",
        key: String? = nil,
        dimensions: Int? = nil,
        price: Price? = nil,
        settings: ProviderSettings = ProviderSettings()
    ) throws(AgentError) {
        self.link = try ProviderLink(
            to: ServedModel(name: name, provider: provider),
            baseURL: baseURL,
            key: key,
            settings: settings
        )
        self.name = name
        self.provider = provider
        self.dimensions = dimensions
        self.price = price ?? KnownModel.named(name, of: provider, isAtHome: link.isOpenAI).price
    }

    /// Asks the provider.
    public func embed(_ texts: [String]) async throws -> Embeddings {
        var embeddings = Embeddings(vectors: [])
        var rest = texts[...]
        while !rest.isEmpty {
            let part = try await embed(batch: Array(rest.prefix(Self.batch)))
            rest = rest.dropFirst(Self.batch)
            embeddings.vectors += part.vectors
            embeddings.usage += part.usage
        }
        guard Set(embeddings.vectors.map(\.count)).count <= 1 else {
            throw ProviderFailure.invalid("its vectors are of different lengths").error
        }
        return embeddings
    }

    private func embed(batch texts: [String]) async throws -> Embeddings {
        var members: [JSONValue.Member] = [
            .init("model", .string(name)), .init("input", .array(texts.map(JSONValue.string))),
        ]
        if let dimensions { members.append(.init("dimensions", .integer(dimensions))) }
        let gathered = Mutex(Embeddings(vectors: []))
        let count = texts.count
        try await link.post(
            "/embeddings",
            .object(members),
            isStream: false,
            decoder: { EmbeddingsDecoder(count: count) },
            emit: { embeddings in gathered.withLock { $0 = embeddings } }
        )
        var embeddings = gathered.withLock { $0 }
        embeddings.usage = embeddings.usage.priced(by: price)
        return embeddings
    }
}

/// Reads the body of an embeddings answer.
private struct EmbeddingsDecoder: AnswerDecoder {
    private struct Answer: Decodable {
        struct Item: Decodable {
            var index: Int?
            var embedding: [Float]
        }

        struct Tokens: Decodable {
            var prompt: Int?

            private enum CodingKeys: String, CodingKey { case prompt = "prompt_tokens" }
        }

        var data: [Item]
        var usage: Tokens?
    }

    let count: Int
    private var data = Data()
    private(set) var isComplete = false
    let hasFinished = false

    init(count: Int) {
        self.count = count
    }

    static func isFinal(_ event: Embeddings) -> Bool { true }

    mutating func receive(_ bytes: ByteBufferView) throws -> [Embeddings] {
        data.append(contentsOf: bytes)
        return []
    }

    mutating func end(isWhole: Bool) throws -> [Embeddings] {
        if let complaint = try? JSONDecoder().decode([String: ProviderComplaint].self, from: data)["error"] {
            throw ProviderFailure(complaint: complaint, secret: nil)
        }
        let answer: Answer
        do {
            answer = try ProviderFailure.decoding(Answer.self, data, of: "embeddings")
        } catch {
            throw isWhole ? error : ProviderFailure.brokenOff
        }
        let items = answer.data.enumerated().sorted {
            ($0.element.index ?? $0.offset) < ($1.element.index ?? $1.offset)
        }
        guard items.count == count else {
            throw ProviderFailure.invalid("it has \(items.count) vectors for \(count) texts")
        }
        isComplete = true
        return [
            Embeddings(
                vectors: items.map(\.element.embedding),
                usage: Usage(inputTokens: answer.usage?.prompt ?? 0)
            )
        ]
    }
}
