import Agents
import AsyncHTTPClient
import Configuration
import Daemon
import RPC

/// The model agents use, from the setting `OCTAVO_MODEL` and the addresses and keys of providers.
///
/// `OCTAVO_MODEL` is `provider:model`, or several with commas between them: the next is asked when one fails. A name without
/// provider is one of `openai`, which is also any compatible server at `OPENAI_BASE_URL`. With neither a key nor an address
/// there is no provider, and the built-in extractive model answers.
struct ModelProvider {
    /// What is asked of a provider when only its key is given.
    static let defaultModels = [("openai", "gpt-5-mini"), ("anthropic", "claude-haiku-4-5")]

    /// Nil stands for the built-in extractive model.
    private(set) var model: (any Model)?
    let providers: Providers
    private let isOpenAISet: Bool
    private let hasServer: Bool

    /// More than any server answers at once.
    private static let mostCalls = 16_384

    var name: String { model?.qualifiedName ?? ExtractiveModel.modelName }

    /// - Parameter earlier: What was in use until now.
    init(_ config: ConfigReader, after earlier: Providers? = nil) throws {
        let keys = Self.keys(config)
        var settings = ProviderSettings(client: .outside)
        // What takes longer is waited for in storage, where it is seen, and whoever asks is told.
        settings.longestPause = .seconds(2)
        providers = Providers(
            try Self.providers(config),
            keys: keys,
            settings: settings,
            after: earlier
        )
        hasServer = config.string(forKey: "openai.base.url") != nil
        isOpenAISet = hasServer || keys["openai"] != nil
        let setting = config.string(forKey: "octavo.model")
        guard setting != nil || !hasServer else {
            throw ConfigurationError("OPENAI_BASE_URL is set: say with OCTAVO_MODEL which of its models to use.")
        }
        let usual = Self.defaultModels.first { keys[$0.0] != nil }.map { "\($0.0):\($0.1)" }
        guard let setting = setting ?? usual, setting != ExtractiveModel.modelName else {
            return
        }
        let names = setting.split(separator: ",").map { $0.filter { !$0.isWhitespace } }.filter { !$0.isEmpty }
        guard let first = names.first else { throw ConfigurationError("OCTAVO_MODEL names no model.") }
        do throws(ConfigurationError) {
            model = try model(named: first, fallbacks: Array(names.dropFirst()))
        } catch {
            throw ConfigurationError("OCTAVO_MODEL is \"\(setting)\". \(error)")
        }
    }

    /// A model by its name, with those that take its place when it fails; the usual one for nil. Nil when there is no
    /// provider.
    func model(named name: String?, fallbacks: [String] = []) throws(ConfigurationError) -> (any Model)? {
        do throws(AgentError) {
            var others: [any Model] = []
            for fallback in fallbacks { others.append(try providers.model(try qualified(fallback))) }
            guard name != ExtractiveModel.modelName else { return nil }
            let named: (any Model)? = if let name { try providers.model(try qualified(name)) } else { model }
            guard let first = named, !others.isEmpty else { return named }
            return FallbackModel(first, others)
        } catch {
            throw ConfigurationError(error.message)
        }
    }

    /// With its provider. A name without one, or with a colon of its own that is no provider's, is one of `openai`.
    private func qualified(_ name: String) throws(AgentError) -> String {
        let provider = name.split(separator: ":", maxSplits: 1).first.map(String.init) ?? ""
        if name.contains(":"), providers.names.contains(provider) || !hasServer { return name }
        guard isOpenAISet else {
            throw AgentError(
                .misconfigured,
                "There is no provider to ask for \"\(name)\": write it as provider:model, or set OPENAI_API_KEY, or "
                    + "OPENAI_BASE_URL for a server of your own."
            )
        }
        return "openai:\(name)"
    }

    /// The known ones, with the addresses and limits that are set. A server of one's own needs no key.
    private static func providers(_ config: ConfigReader) throws(ConfigurationError) -> [Provider] {
        var providers = Provider.known
        for index in providers.indices {
            let name = providers[index].name
            let family = name.split(separator: "-").first.map(String.init) ?? name
            if let address = config.string(forKey: ConfigKey("\(family).base.url")) {
                providers[index] = Provider(name, providers[index].api, baseURL: address)
            }
            providers[index].calls = try calls(config, of: family)
        }
        return providers
    }

    /// How many a provider is sent at once: `OPENAI_CALLS` for `openai`.
    private static func calls(_ config: ConfigReader, of family: String) throws(ConfigurationError) -> Int? {
        guard let given = config.string(forKey: ConfigKey("\(family).calls")) else { return nil }
        guard let calls = Int(given), (1...mostCalls).contains(calls) else {
            let variable = family.uppercased().replacing(".", with: "_") + "_CALLS"
            throw ConfigurationError("\(variable) is \"\(given)\"; it has to be a number from 1 to \(mostCalls).")
        }
        return calls
    }

    /// By the provider's name: `ANTHROPIC_API_KEY` for `anthropic`.
    private static func keys(_ config: ConfigReader) -> [String: String] {
        var keys: [String: String] = [:]
        for provider in Provider.known {
            guard let variable = provider.keyVariable else { continue }
            let key = variable.lowercased().split(separator: "_").joined(separator: ".")
            keys[provider.name] = config.string(forKey: ConfigKey(key), isSecret: true)
        }
        return keys
    }
}

extension HTTPClient {
    /// The client of model providers and of Slack, on the event loop of the sockets inside.
    static let outside = HTTPClient(eventLoopGroupProvider: .shared(RPCEventLoop.shared), configuration: .agents())
}
