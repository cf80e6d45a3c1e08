import Agents
import Configuration
import Daemon

/// The model agents use, from the settings `OCTAVO_MODEL`, `OPENAI_BASE_URL` and `OPENAI_API_KEY`.
///
/// With neither a key nor an address there is no provider, and the built-in extractive model answers.
struct ModelProvider {
    /// OpenAI's own address.
    static let defaultAddress = "https://api.openai.com/v1"
    /// What is asked of OpenAI when only a key is given.
    static let defaultModel = "gpt-5-mini"

    /// Nil stands for the built-in extractive model.
    let model: (any Model)?

    var name: String { model?.name ?? ExtractiveModel.modelName }

    init(_ config: ConfigReader) throws {
        let key = config.string(forKey: "openai.api.key", isSecret: true)
        let address = config.string(forKey: "openai.base.url")
        let name = config.string(forKey: "octavo.model")
        guard key != nil || address != nil, name != ExtractiveModel.modelName else {
            if let name, name != ExtractiveModel.modelName {
                throw ConfigurationError(
                    "OCTAVO_MODEL is \"\(name)\", and there is no provider to ask: set OPENAI_API_KEY, or OPENAI_BASE_URL for "
                        + "a server of your own."
                )
            }
            model = nil
            return
        }
        guard name != nil || address == nil else {
            throw ConfigurationError("OPENAI_BASE_URL is set: say with OCTAVO_MODEL which of its models to use.")
        }
        do {
            model = try OpenAIChatModel(
                name ?? Self.defaultModel,
                baseURL: address ?? Self.defaultAddress,
                key: key
            )
        } catch {
            throw ConfigurationError(error.message)
        }
    }
}
