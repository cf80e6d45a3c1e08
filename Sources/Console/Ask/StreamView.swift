import Agents
import Contract
import Wire

/// Shows a run's events while they come, each once, however often the stream begins again.
struct StreamView {
    let terminal: Terminal
    /// Whether what it says is shown, beside its output: one that answers in a form of its own says the same in words.
    private let showsText: Bool
    private var citations: [Citation] = []
    private var hasText = false
    /// Whether the reader knows that another attempt follows, and why.
    private var isPostponed = false
    private var outcome: Outcome?
    /// The number of the last event shown.
    private(set) var seen = 0

    init(terminal: Terminal, showsText: Bool = true) {
        self.terminal = terminal
        self.showsText = showsText
    }

    /// Whether the run's end was shown.
    var isOver: Bool { outcome != nil }

    /// - Throws: `Problem` for what the gateway could not go on with.
    mutating func show(_ event: ServerSentEvent) throws {
        if event.event == "error" { throw Problem(event.data) }
        if let number = event.id.flatMap({ Int($0) }) {
            guard number > seen else { return }
            seen = number
        }
        guard let event = try RunEvent.known(JSON(validating: event.data)) else { return }
        switch event.body {
        case .status(let text): if !hasText { Terminal.error.progress(Terminal.harmless(text)) }
        case .search(let query, let hits):
            if !hasText { Terminal.error.progress("\(hits) sections on \"\(Terminal.harmless(query).prefix(60))\"") }
        case .citation(let citation): citations.append(citation)
        case .text where !showsText: break
        case .text(let text):
            if !hasText { Terminal.error.clearProgress() }
            hasText = true
            terminal.write(Terminal.harmless(text))
        case .part(let agent, let outcome):
            Terminal.error.notice("\(Terminal.harmless(agent)): \(outcome.state.rawValue)")
        case .approval(let notice): Terminal.error.notice(notice.sentence)
        case .postponed(let postponement):
            endLine()
            Terminal.error.line("(\(postponement.sentence()))")
            isPostponed = true
        case .restarted: restart()
        case .finished(let outcome): self.outcome = outcome
        }
    }

    private mutating func restart() {
        if !isPostponed {
            endLine()
            Terminal.error.line("(interrupted; starting over)")
        } else if hasText {
            // Why, and that it ends there, was said when it failed.
            Terminal.error.line("(starting over)")
        }
        citations = []
        hasText = false
        isPostponed = false
    }

    /// The question is asked again, since the connection broke or a service is away.
    func interrupted(_ reason: String) {
        if !hasText { Terminal.error.progress("Asking again: \(reason)") }
    }

    /// Whatever comes next is to stand on a line of its own.
    func endLine() {
        // Where there is text, the line of progress is gone already, and what stands there now is the answer's last.
        if hasText { terminal.line() } else { Terminal.error.clearProgress() }
    }

    func showOutcome() throws {
        if let output = outcome?.output {
            terminal.line(Terminal.exact(output.description))
        } else if !hasText, let answer = outcome?.answer {
            // Not every agent says its answer piece by piece before it is whole.
            terminal.line(Terminal.harmless(answer))
        }
        AnswerView(terminal: terminal).show(citations)
        // Beside the answer and not in it, for whoever reads that in a program.
        for remark in outcome?.remarks ?? [] { Terminal.error.line(remark) }
        if let error = outcome?.error { throw Failure(Terminal.harmless(error.message)) }
    }

    /// What the gateway says in place of an answer, RFC 9457.
    struct Problem: Error {
        /// In words for people.
        let detail: String
        /// Whether asking again may do.
        let isPassing: Bool

        init(_ document: String) {
            let problem = try? JSON(validating: document)
            detail = Terminal.harmless(problem?.member("detail")?.string ?? document)
            isPassing = problem?.member("status")?.description == "503"
        }
    }
}
