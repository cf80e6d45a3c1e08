import Contract
import Synchronization

/// The answer of one run as it comes into being: the model's text in, checked pieces out as events.
final class Reply: Sendable {
    private let checker: Mutex<AnswerChecker>
    private let emit: @Sendable (RunEvent.Body) throws -> Void

    init(passages: Passages, emit: @escaping @Sendable (RunEvent.Body) throws -> Void) {
        checker = Mutex(AnswerChecker(passages: passages))
        self.emit = emit
    }

    /// Nothing was shown yet.
    var isEmpty: Bool { checker.withLock { $0.answer.isEmpty } }

    /// The model said that the documentation does not answer.
    var saysUnsupported: Bool { checker.withLock { $0.saidUnsupported } }

    /// The run has read further sections.
    func read(_ sections: [Section]) {
        checker.withLock { checker in
            for section in sections { checker.read(section) }
        }
    }

    func consume(_ text: String) throws {
        try show(checker.withLock { $0.consume(text) })
    }

    func finish() throws {
        try show(checker.withLock { $0.finish() })
    }

    func outcome(model: String, usage: Contract.Usage) -> Outcome {
        checker.withLock { checker in
            Outcome(
                state: .succeeded,
                answer: checker.answer,
                citations: checker.citations,
                supported: true,
                model: model,
                usage: usage
            )
        }
    }

    private func show(_ pieces: [AnswerChecker.Piece]) throws {
        for piece in pieces {
            switch piece {
            case .text(let text): try emit(.text(text))
            case .citation(let citation): try emit(.citation(citation))
            }
        }
    }
}
