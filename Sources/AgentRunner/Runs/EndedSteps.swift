import Agents
import Contract
import Synchronization
import Wire

/// Calls of models that have ended, of which storage was not told yet: the end of the run takes them along in its transaction, or
/// the next step tells of them before it begins.
final class EndedSteps: Sendable {
    private let steps = Mutex<[EndedStep]>([])

    func add(_ step: EndedStep) {
        steps.withLock { $0.append(step) }
    }

    /// They are told of by whoever takes them.
    func take() -> [EndedStep] {
        steps.withLock { steps in
            defer { steps = [] }
            return steps
        }
    }
}

extension EndedStep {
    init(_ step: String, _ answer: (some Encodable)?, _ usage: Agents.Usage, model: String?) throws {
        self.init(
            step: step,
            answer: try answer.map { try JSON(encoding: $0) },
            inputTokens: usage.inputTokens,
            cachedTokens: usage.cachedInputTokens,
            outputTokens: usage.outputTokens,
            microdollars: usage.microdollars,
            model: model
        )
    }
}
