import Contract
import Wire

/// An answer and its sources for a terminal.
struct AnswerView {
    let terminal: Terminal

    /// A whole answer.
    func show(_ outcome: Outcome) {
        if let error = outcome.error {
            let sentence = Terminal.harmless(error.message)
            terminal.line(
                outcome.state == .cancelled
                    ? terminal.styled(sentence, .dim) : terminal.styled("failed: \(sentence)", .red)
            )
        }
        if let answer = outcome.answer { terminal.line(Terminal.harmless(answer)) }
        if let output = outcome.output { terminal.line(Terminal.exact(output.description)) }
        show(outcome.citations)
        if let substitution = outcome.substitution { terminal.line(terminal.styled(substitution, .dim)) }
    }

    /// The sources, numbered as in the text.
    func show(_ citations: [Citation]) {
        guard !citations.isEmpty else { return }
        terminal.line()
        for citation in citations {
            let place = citation.anchor.isEmpty ? citation.file : "\(citation.file)#\(citation.anchor)"
            let title = ([citation.book.title] + citation.headings).joined(separator: " › ")
            terminal.line("\(terminal.styled("[\(citation.number)]", .cyan)) \(Terminal.harmless(title))")
            terminal.line("    " + terminal.styled(Terminal.harmless("\(place) · section \(citation.section)"), .dim))
        }
    }
}

extension Outcome {
    /// That another model has answered than the one that was to, in words.
    var substitution: String? {
        insteadOf.map { Terminal.harmless("(answered by \(model); \($0) did not)") }
    }
}
