/// Something the person who runs the daemon has to change before it can start. The process ends with exit code 78
/// (EX_CONFIG of sysexits.h), and ``description`` is the one sentence it says.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A full sentence that names the setting and says what to do. Never the value of a secret.
    public let description: String

    /// Makes the error from its sentence.
    public init(_ sentence: String) {
        self.description = sentence
    }

    /// swift-configuration keeps its error type to itself (package access), so its own errors, a missing or an
    /// unreadable value, are told by the module they come from. Their text names the key and never the value.
    init?(from error: any Error) {
        if let error = error as? ConfigurationError {
            self = error
        } else if String(reflecting: type(of: error)).hasPrefix("Configuration.") {
            let text = "\(error)".prefix { $0 != "\n" }
            let sentence = text.hasSuffix(".") ? String(text) : text + "."
            self.init(sentence + " A key in capitals is its variable: database.url is DATABASE_URL.")
        } else {
            return nil
        }
    }
}
