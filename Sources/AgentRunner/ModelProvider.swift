import Agents
import Configuration
import Daemon

/// The model agents use, from the setting `OCTAVO_MODEL` and the addresses and keys of providers.
///
/// `OCTAVO_MODEL` is `provider:model`, or several with commas between them: the next is asked when one fails. A name without
/// provider is one of `openai`, which is also any compatible server at `OPENAI_BASE_URL`. With neither a key nor an address
/// there is no provider, and the built-in extractive model answers.
struct ModelProvider {
    /// What is asked of a provider when only its key is given.
    static let defaultModels = [("openai", "gpt-5-mini"), ("anthropic", "claude-haiku-4-5")]

    /// Nil stands for the built-in extractive model.
    let model: (any Model)?

    var name: String { model?.qualifiedName ?? ExtractiveModel.modelName }

    init(_ config: ConfigReader) throws {
        guard let names = try Self.names(config) else {
            model = nil
            return
        }
        do {
            let providers = Providers(Self.providers(config), keys: Self.keys(config))
            model = try providers.model(names[0], fallbacks: Array(names.dropFirst()))
        } catch {
            throw ConfigurationError(error.message)
        }
    }

    /// Nil for the built-in model.
    private static func names(_ config: ConfigReader) throws(ConfigurationError) -> [String]? {
        let address = config.string(forKey: "openai.base.url")
        guard let setting = config.string(forKey: "octavo.model") else {
            guard address == nil else {
                throw ConfigurationError("OPENAI_BASE_URL is set: say with OCTAVO_MODEL which of its models to use.")
            }
            let keys = keys(config)
            return defaultModels.first { keys[$0.0] != nil }.map { ["\($0.0):\($0.1)"] }
        }
        guard setting != ExtractiveModel.modelName else { return nil }
        let known = Set(Provider.known.map(\.name))
        var names: [String] = []
        for name in setting.split(separator: ",").map({ $0.filter { !$0.isWhitespace } }) where !name.isEmpty {
            let provider = name.split(separator: ":", maxSplits: 1).first.map(String.init) ?? ""
            let isQualified = name.contains(":") && (known.contains(provider) || address == nil)
            guard isQualified || address != nil || keys(config)["openai"] != nil else {
                throw ConfigurationError(
                    "OCTAVO_MODEL is \"\(name)\", and there is no provider to ask: write it as provider:model, or set "
                        + "OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own."
                )
            }
            names.append(isQualified ? name : "openai:\(name)")
        }
        guard !names.isEmpty else { throw ConfigurationError("OCTAVO_MODEL names no model.") }
        return names
    }

    /// The known ones, with the addresses that are set. A server of one's own needs no key.
    private static func providers(_ config: ConfigReader) -> [Provider] {
        Provider.known.map { provider in
            let family = provider.name.split(separator: "-").first.map(String.init) ?? provider.name
            guard let address = config.string(forKey: ConfigKey("\(family).base.url")) else { return provider }
            return Provider(provider.name, provider.api, baseURL: address)
        }
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
