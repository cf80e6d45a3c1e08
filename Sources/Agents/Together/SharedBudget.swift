import Synchronization

/// What several runs may cost together: requests, tokens, money.
///
/// A model that pays from the budget is refused its next request once it is used up; an answer already paid for is given.
/// So runs side by side exceed it by what is in flight at that moment, and by no more.
///
/// ```swift
/// let budget = SharedBudget(requests: 20, totalTokens: 50_000)
/// agent.model = budget.paying(for: agent.model)
/// ```
public final class SharedBudget: Sendable {
    private struct State {
        var requests = 0
        var usage = Usage()
    }

    private let mostRequests: Int
    private let mostTokens: Int
    private let mostMicrodollars: Int?
    private let state = Mutex(State())

    /// A budget.
    ///
    /// - Parameters:
    ///   - requests: Requests to models.
    ///   - totalTokens: Tokens in all. It cannot act where a provider does not say its usage.
    ///   - microdollars: Millionths of a dollar; `nil` for no bound. It cannot act where a price is not known.
    public init(requests: Int = 64, totalTokens: Int = 1_000_000, microdollars: Int? = nil) {
        mostRequests = requests
        mostTokens = totalTokens
        mostMicrodollars = microdollars
    }

    /// Requests so far.
    public var requests: Int { state.withLock { $0.requests } }

    /// What they have cost so far.
    public var usage: Usage { state.withLock { $0.usage } }

    /// The same model, paying from this budget.
    public func paying(for model: any Model) -> any Model {
        PayingModel(model: model, budget: self)
    }

    fileprivate func begin() throws(AgentError) {
        try state.withLock { state throws(AgentError) in
            guard state.requests < mostRequests else {
                throw AgentError(
                    .limitReached,
                    "The runs have made the \(mostRequests) requests they may make together."
                )
            }
            guard state.usage.totalTokens < mostTokens else {
                throw AgentError(.limitReached, "The runs have used the \(mostTokens) tokens they may use together.")
            }
            if let mostMicrodollars, let spent = state.usage.microdollars, spent >= mostMicrodollars {
                throw AgentError(.limitReached, "The runs have spent what they may spend together.")
            }
            state.requests += 1
        }
    }

    fileprivate func spend(_ usage: Usage) {
        state.withLock { $0.usage += usage }
    }
}

private struct PayingModel: Model {
    let model: any Model
    let budget: SharedBudget

    var name: String { model.name }
    var provider: String { model.provider }
    var capabilities: ModelCapabilities { model.capabilities }

    func respond(
        to request: ModelRequest,
        emit: @escaping @Sendable (ModelEvent) async throws -> Void
    ) async throws {
        try budget.begin()
        try await model.respond(to: request) { [budget] event in
            if case .usage(let usage) = event { budget.spend(usage) }
            try await emit(event)
        }
    }
}
