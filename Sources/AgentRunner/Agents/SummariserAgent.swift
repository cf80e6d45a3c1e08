import AgentFiles
import Agents
import Contract
import Logging
import Wire

/// Summarises a text; every sentence says which words of it it rests on.
struct SummariserAgent: RunnableAgent {
    /// Under which the one with the usual settings is asked for.
    static let name = "summariser"

    var file: AgentFile?
    let task: AgentFile.Summary
    /// The provider's model; nil for the built-in one, which quotes the sentences that say most.
    var model: (any Model)?
    /// What it may spend together with others.
    var budget: Budget?
    let logger: Logger

    var modelName: String { model?.name ?? ExtractiveModel.modelName }
    var providers: [String] { model?.providers ?? [] }
    var callsAhead: Int { model?.callsAhead ?? 0 }
    var wallClock: Duration? { file?.limits.wallClock }
    var description: String {
        file?.description ?? "Summarises a text; every sentence points at the words it rests on."
    }

    func listed(as name: String) -> ListAgents.Agent? {
        ListAgents.Agent(
            name: name,
            description: description,
            model: modelName,
            origin: file == nil ? .builtIn : .file,
            output: JSON(trusted: Summary.schema.text)
        )
    }

    func paying(from budget: Budget) -> any RunnableAgent {
        var agent = self
        agent.budget = budget
        return agent
    }

    func answer(
        _ question: Question,
        steps: Steps?,
        trace: TraceParent,
        emit: @escaping @Sendable (RunEvent.Body) throws -> Void
    ) async throws -> Outcome {
        let summary: Summary
        var usage = Contract.Usage()
        var answered = modelName
        if let model {
            let summariser = Summariser(
                model: steps?.recorded(model) ?? model,
                sentences: task.sentences,
                audience: task.audience,
                options: file?.options ?? ModelOptions(),
                outputMode: file?.outputMode ?? .automatic,
                limits: try await AgentLimits(file?.limits, after: steps),
                budget: budget,
                logger: logger
            )
            let result = try await summariser.summarise(question.text)
            summary = result.output
            (usage, answered) = (Contract.Usage(result), result.model)
        } else {
            summary = ExtractiveSummary(of: question.text, sentences: task.sentences).summary
        }
        try emit(.text(summary.text))
        return Outcome(
            state: .succeeded,
            answer: summary.text,
            output: try JSON(encoding: summary),
            model: answered,
            usage: usage
        )
    }
}

/// The sentences of a text that say most of what it says, as they stand in it.
struct ExtractiveSummary {
    let summary: Summary

    init(of text: String, sentences count: Int) {
        let statements = Statement.of(text).filter { $0.kind == .sentence || $0.kind == .item || $0.kind == .entry }
        // A text that is no prose is still something: its lines.
        let candidates = statements.isEmpty ? Statement.of(text) : statements
        let chosen = Self.choose(count, of: candidates)
        summary = Summary(
            sentences: chosen.map { index in
                let words = candidates[index].text
                let span = SourceSpan(words.startIndex..<words.endIndex, of: text)
                return Summary.Sentence(text: String(words), sources: [span])
            }
        )
    }

    /// The indices of the sentences with the most words that the text uses often, in the order of the text. What was said
    /// by a sentence chosen before counts no more.
    private static func choose(_ count: Int, of candidates: [Statement]) -> [Int] {
        var frequency: [String: Double] = [:]
        for candidate in candidates { for word in candidate.wordSet { frequency[word, default: 0] += 1 } }
        var chosen: [Int] = []
        while chosen.count < count {
            let best = candidates.indices.filter { !chosen.contains($0) }
                .map { (index: $0, score: score(of: candidates[$0], at: $0, frequency)) }
                .max { $0.score == $1.score ? $0.index > $1.index : $0.score < $1.score }
            guard let best, best.score > 0 else { break }
            chosen.append(best.index)
            for word in candidates[best.index].wordSet { frequency[word] = 0 }
        }
        if chosen.isEmpty, !candidates.isEmpty { chosen = [0] }
        return chosen.sorted()
    }

    /// Long sentences have more words without saying more of the subject; the first one often says it.
    private static func score(of candidate: Statement, at index: Int, _ frequency: [String: Double]) -> Double {
        guard !candidate.wordSet.isEmpty else { return 0 }
        let sum = candidate.wordSet.reduce(0) { $0 + (frequency[$1] ?? 0) }
        let length = Double(candidate.wordSet.count) + 4
        return sum / length.squareRoot() * (index == 0 ? 1.25 : 1)
    }
}
