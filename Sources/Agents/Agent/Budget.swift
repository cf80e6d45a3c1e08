import Synchronization

/// What several runs may spend together, at the same time or one after the other.
///
/// Looked at before each request to a model, as ``AgentLimits`` are: an answer already paid for is given, so runs that ask at the
/// same moment may together go over it by what each of them has on its way.
public final class Budget: Sendable {
    /// Requests to models in all.
    public let requests: Int?
    /// Tokens in all.
    public let totalTokens: Int?
    /// Money in all, in millionths of a US dollar.
    public let microdollars: Int?
    private let spent = Mutex((requests: 0, usage: Usage()))

    /// A budget; what is nil is not bounded.
    public init(requests: Int? = nil, totalTokens: Int? = nil, microdollars: Int? = nil) {
        self.requests = requests
        self.totalTokens = totalTokens
        self.microdollars = microdollars
    }

    /// What was spent so far.
    public var usage: Usage { spent.withLock { $0.usage } }

    /// Counts a request; throws ``AgentError/Code/limitReached`` when there is nothing left for it.
    func begin() throws(AgentError) {
        let excess = spent.withLock { spent -> String? in
            if let requests, spent.requests >= requests { return "\(requests) requests to models" }
            if let totalTokens, spent.usage.totalTokens >= totalTokens { return "\(totalTokens) tokens" }
            if let microdollars {
                // Nothing can be held to a budget of money while nobody knows what it costs.
                guard let cost = spent.usage.microdollars ?? (spent.usage.totalTokens == 0 ? 0 : nil) else {
                    return "\(microdollars) millionths of a dollar, or may have: the price of a model is not known"
                }
                if cost >= microdollars { return "\(microdollars) millionths of a dollar" }
            }
            spent.requests += 1
            return nil
        }
        if let excess { throw AgentError(.limitReached, "The runs together reached their budget of \(excess).") }
    }

    func spend(_ usage: Usage) {
        spent.withLock { $0.usage += usage }
    }
}
