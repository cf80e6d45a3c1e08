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
        for remark in outcome.remarks { terminal.line(terminal.styled(remark, .dim)) }
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
    /// In words: that another model has answered than the one that was to, and that the answer is not whole.
    var remarks: [String] {
        let substitution = insteadOf.map { "(answered by \(model), since \($0) said nothing that could be used)" }
        let cut = "(cut off: the model may say no more, by max_tokens or since its context is full)"
        return [cutOff == true ? cut : nil, substitution].compactMap { $0 }.map { Terminal.harmless($0) }
    }
}
