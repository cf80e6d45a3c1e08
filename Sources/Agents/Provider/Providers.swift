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

    /// A server, and how many calls it is sent at once.
    private struct Server: Hashable {
        let baseURL: String
        let calls: Int
    }

    private let entries: [String: Entry]
    /// Providers at one address share theirs.
    private let limits: [Server: CallLimit]
    private let sharedLimit: CallLimit?
    /// The names that stand before the colon.
    public let names: [String]

    /// Providers with their keys.
    ///
    /// - Parameters:
    ///   - providers: Two of one name: the last counts, so known ones can be given another address.
    ///   - keys: By the provider's name. Without one, the key is in the environment variable the provider names.
    ///   - settings: How all of them are asked; each has a breaker of its own, and a limit of calls where it says one.
    ///   - earlier: What was in use before, as when settings are read again: what is known of servers that are the same is kept, and calls
    ///     that are under way count.
    public init(
        _ providers: [Provider] = Provider.known,
        keys: [String: String]? = nil,
        settings: ProviderSettings = ProviderSettings(),
        after earlier: Providers? = nil
    ) {
        let environment = keys == nil ? ProcessInfo.processInfo.environment : [:]
        var entries: [String: Entry] = [:]
        var limits: [Server: CallLimit] = [:]
        for provider in providers {
            var own = settings
            let before = earlier?.entries[provider.name]
            own.breaker = CircuitBreaker()
            let key = keys?[provider.name] ?? provider.keyVariable.flatMap { environment[$0] }
            // What was asked for of one account does not count for another.
            if let before, before.provider.baseURL == provider.baseURL, before.key == key {
                own.breaker = before.settings.breaker
            }
            if let calls = provider.calls {
                let server = Server(baseURL: provider.baseURL, calls: calls)
                limits[server] = limits[server] ?? earlier?.limits[server] ?? CallLimit(calls)
                own.callLimit = limits[server]
            }
            entries[provider.name] = Entry(provider: provider, key: key, settings: own)
        }
        self.entries = entries
        self.limits = limits
        sharedLimit = settings.callLimit
        self.names = entries.keys.sorted()
    }

    /// What is amiss with models that were asked, a sentence each: they have failed, or refused, three times in a row at least, or
    /// their provider wants to be left alone.
    public var troubles: [String] {
        names.compactMap { entries[$0] }.flatMap { entry in
            entry.settings.breaker.troubles(after: entry.settings.retries + 1)
        }
    }

    /// How many models have failed at every attempt of the last call at least.
    public var failingModels: Int {
        entries.values.reduce(0) { $0 + $1.settings.breaker.failing(after: $1.settings.retries + 1) }
    }

    /// How many calls wait for their turn.
    public var waitingCalls: Int { limits.values.reduce(sharedLimit?.waiting ?? 0) { $0 + $1.waiting } }

    /// The smallest number of calls at once that a provider has; nil without any.
    public var fewestCalls: Int? { limits.keys.map(\.calls).min() }

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
