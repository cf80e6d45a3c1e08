/// Several agents at once, which finish together as soon as the slowest of them.
///
/// ```swift
/// let together = Together<String>([
///     .init("summary") { budget in try await summariser(budget).run(text).output },
///     .init("answer") { budget in try await documentation(budget).run(text).output },
/// ])
/// for part in try await together.run() { print(part.name, part.result) }
/// ```
///
/// Agents whose outputs differ in type are run with `async let`, sharing a ``Budget``.
public struct Together<Output: Sendable>: Sendable {
    /// One of the agents.
    public struct Part: Sendable {
        /// What it is called among them.
        public var name: String
        fileprivate let run: @Sendable (Budget) async throws -> Output

        /// An agent's run, to be given the budget: ``Agent/budget``.
        public init(_ name: String, run: @escaping @Sendable (Budget) async throws -> Output) {
            self.name = name
            self.run = run
        }
    }

    /// What became of one of them.
    public struct Outcome: Sendable {
        /// The part's name.
        public var name: String
        /// What it came to.
        public var result: Result<Output, any Error>
        /// When it began, since all did.
        public var began: Duration
        /// When it ended, since all began.
        public var ended: Duration
    }

    /// What the failure of one means for the others.
    public enum FailurePolicy: Sendable, Hashable {
        /// It cancels them, and is the failure of all.
        case stop
        /// They go on, and it is told beside what they come to.
        case collect
    }

    /// The agents, in the order of their outcomes.
    public var parts: [Part]
    /// What the failure of one means for the others.
    public var onFailure: FailurePolicy

    /// Agents to be run at once.
    public init(_ parts: [Part], onFailure: FailurePolicy = .stop) {
        self.parts = parts
        self.onFailure = onFailure
    }

    /// Runs all, and returns when all have ended.
    ///
    /// - Parameters:
    ///   - budget: What they may cost together.
    ///   - onEnd: Is told of each as it ends, one after the other.
    /// - Throws: What the first to fail threw, with ``FailurePolicy/stop``; what `onEnd` threw; `CancellationError`.
    @discardableResult
    public func run(
        within budget: Budget = Budget(requests: 64, totalTokens: 1_000_000),
        onEnd: @Sendable (Outcome) async throws -> Void = { _ in }
    ) async throws -> [Outcome] {
        let start = ContinuousClock.now
        return try await withThrowingTaskGroup(of: Ended.self) { group in
            for (index, part) in parts.enumerated() {
                group.addTask { await Self.run(part, index, within: budget, since: start) }
            }
            var outcomes: [Outcome?] = Array(repeating: nil, count: parts.count)
            for try await ended in group {
                // A cancelled part fails because the whole is cancelled, not by itself.
                try Task.checkCancellation()
                try await onEnd(ended.outcome)
                if onFailure == .stop { _ = try ended.outcome.result.get() }
                outcomes[ended.index] = ended.outcome
            }
            return outcomes.compactMap(\.self)
        }
    }

    private struct Ended: Sendable {
        var index: Int
        var outcome: Outcome
    }

    /// A function of its own: what it catches is to become a value.
    private static func run(
        _ part: Part,
        _ index: Int,
        within budget: Budget,
        since start: ContinuousClock.Instant
    ) async -> Ended {
        let began = ContinuousClock.now - start
        let result: Result<Output, any Error>
        do {
            result = .success(try await part.run(budget))
        } catch {
            result = .failure(error)
        }
        let ended = ContinuousClock.now - start
        return Ended(index: index, outcome: Outcome(name: part.name, result: result, began: began, ended: ended))
    }
}
