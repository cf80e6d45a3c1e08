import FoundationEssentials

/// Gives models by their name, `provider:model`.
///
/// ```swift
/// let model = try Providers().model("anthropic:claude-sonnet-4-5")
/// ```
///
/// The models of one provider share its ``CircuitBreaker``, which counts the failures of each: keep a `Providers`, and do not make
/// one for each run.
public struct Providers: Sendable {
    private struct Entry: Sendable {
        let provider: Provider
        let key: String?
        let settings: ProviderSettings
    }

    private let entries: [String: Entry]
    /// The names that stand before the colon.
    public let names: [String]

    /// Providers with their keys.
    ///
    /// - Parameters:
    ///   - providers: Two of one name: the last counts, so known ones can be given another address.
    ///   - keys: By the provider's name. Without one, the key is in the environment variable the provider names.
    ///   - settings: How all of them are asked; each has a breaker of its own, and a limit of calls where it says one.
    public init(
        _ providers: [Provider] = Provider.known,
        keys: [String: String]? = nil,
        settings: ProviderSettings = ProviderSettings()
    ) {
        let environment = keys == nil ? ProcessInfo.processInfo.environment : [:]
        var entries: [String: Entry] = [:]
        for provider in providers {
            var own = settings
            own.breaker = CircuitBreaker()
            own.callLimit = provider.calls.map { CallLimit($0) } ?? settings.callLimit
            let key = keys?[provider.name] ?? provider.keyVariable.flatMap { environment[$0] }
            entries[provider.name] = Entry(provider: provider, key: key, settings: own)
        }
        self.entries = entries
        self.names = entries.keys.sorted()
    }

    /// What is amiss with models that were asked, a sentence each: they have failed at every attempt of the last call at least, or
    /// their provider wants to be left alone.
    public var troubles: [String] {
        names.compactMap { entries[$0] }.flatMap { entry in
            entry.settings.breaker.troubles(after: entry.settings.retries + 1)
        }
    }

    /// How many calls wait for their turn.
    public var waitingCalls: Int {
        entries.values.reduce(0) { $0 + ($1.settings.callLimit?.waiting ?? 0) }
    }

    /// The model of this name.
    ///
    /// - Throws: ``AgentError/Code/misconfigured``, saying what to do.
    public func model(_ name: String) throws(AgentError) -> any Model {
        let (entry, model) = try find(name)
        let provider = entry.provider
        switch provider.api {
        case .chat:
            return try OpenAIChatModel(
                model,
                provider: provider.name,
                baseURL: provider.baseURL,
                key: entry.key,
                settings: entry.settings
            )
        case .responses:
            return try OpenAIResponsesModel(
                model,
                provider: provider.name,
                baseURL: provider.baseURL,
                key: entry.key,
                settings: entry.settings
            )
        case .messages:
            return try AnthropicModel(
                model,
                provider: provider.name,
                baseURL: provider.baseURL,
                key: entry.key,
                settings: entry.settings
            )
        }
    }

    /// The first of these models that answers: see ``FallbackModel``.
    ///
    /// - Throws: ``AgentError/Code/misconfigured``, saying what to do.
    public func model(_ name: String, fallbacks: [String]) throws(AgentError) -> any Model {
        let first = try model(name)
        var others: [any Model] = []
        for fallback in fallbacks { others.append(try model(fallback)) }
        return others.isEmpty ? first : FallbackModel(first, others)
    }

    /// The model of this name that turns texts into vectors.
    ///
    /// - Throws: ``AgentError/Code/misconfigured``, saying what to do.
    public func embeddingModel(_ name: String) throws(AgentError) -> any EmbeddingModel {
        let (entry, model) = try find(name)
        let provider = entry.provider
        guard provider.api != .messages else {
            throw AgentError(.misconfigured, "The provider \(provider.name) has no embeddings.")
        }
        return try OpenAIEmbeddingModel(
            model,
            provider: provider.name,
            baseURL: provider.baseURL,
            key: entry.key,
            settings: entry.settings
        )
    }

    private func find(_ name: String) throws(AgentError) -> (entry: Entry, model: String) {
        // The model's own name may have colons: `ollama:qwen3:8b`.
        guard let colon = name.firstIndex(of: ":"), name.index(after: colon) < name.endIndex else {
            throw AgentError(
                .misconfigured,
                "A model's name is provider:model, such as openai:gpt-5-mini; this is \"\(name)\"."
            )
        }
        let provider = String(name[..<colon])
        guard let entry = entries[provider] else {
            let known = names.joined(separator: ", ")
            throw AgentError(.misconfigured, "There is no provider \"\(provider)\". There are: \(known).")
        }
        if let variable = entry.provider.keyVariable, entry.key == nil, entry.settings.cassette?.mode != .replay {
            throw AgentError(.misconfigured, "The provider \(provider) needs a key: set \(variable).")
        }
        return (entry, String(name[name.index(after: colon)...]))
    }
}
