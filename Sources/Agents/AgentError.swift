/// The one error an agent, a model or a provider of this library throws.
///
/// ``message`` is a whole sentence, safe to show to a reader: it holds no key, no header and no prompt.
public struct AgentError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What went wrong, for a program to act on.
    public enum Code: String, Sendable, Hashable, Codable {
        /// The agent, a tool or a model was set up wrongly: asking again will not help.
        case misconfigured
        /// One of ``AgentLimits`` was reached, the time in all among them, or a budget shared with other runs. Asking again would
        /// only be the next one to reach it.
        case limitReached
        /// The provider cannot be reached, broke off, or failed on its side. Later may work.
        case providerUnavailable
        /// The provider will not serve this request: the key, the model's name, or the content.
        case providerRefused
        /// The provider wants fewer requests; see ``AgentError/retryAfter``.
        case rateLimited
        /// The provider's answer cannot be understood, or is empty or too long.
        case invalidAnswer
        /// The calling task was cancelled.
        case cancelled
        /// A tool that may not be repeated was interrupted, and what it did is not known.
        case interrupted
        /// The provider took longer than allowed. Later may work.
        case timedOut
    }

    /// What went wrong.
    public var code: Code
    /// A sentence for people.
    public var message: String
    /// How long to leave alone whoever was asked: as the provider said, or while a ``CircuitBreaker`` is open.
    public var retryAfter: Duration?

    /// An error with a sentence for people. Keep secrets out of it.
    public init(_ code: Code, _ message: String, retryAfter: Duration? = nil) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    /// The code and the message.
    public var description: String { "\(code.rawValue): \(message)" }

    static let cancelled = AgentError(.cancelled, "The run was cancelled.")
}

extension AgentError {
    /// Any error as one of ours; the text of a foreign one may not be safe to show.
    init(of error: any Error) {
        switch error {
        case let error as AgentError: self = error
        case is CancellationError: self = .cancelled
        default: self.init(.providerUnavailable, "The model failed (\(type(of: error))).")
        }
    }
}
