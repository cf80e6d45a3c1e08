import AgentFiles
import Agents
import Contract
import Logging
import Wire

/// Sorts a text into the categories of its file.
struct ClassifierAgent: RunnableAgent {
    let file: AgentFile
    let task: AgentFile.Classification
    /// The provider's model; nil for the built-in one, which compares words.
    var model: (any Model)?
    /// What it may spend together with others.
    var budget: Budget?
    let logger: Logger

    var modelName: String { model?.name ?? LexicalClassifier.modelName }
    var providers: [String] { model?.providers ?? [] }
    var callsAhead: Int { model?.callsAhead ?? 0 }
    var description: String { file.description }
    var wallClock: Duration? { file.limits.wallClock }

    func listed(as name: String) -> ListAgents.Agent? {
        ListAgents.Agent(
            name: name,
            description: description,
            model: modelName,
            origin: .file,
            output: JSON(trusted: Classifier.schema(of: task.categories.map(\.name)).text)
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
        var labels: [Classifier.Label]
        var usage = Contract.Usage()
        var answered = modelName
        if let model {
            let result = try await classifier(
                steps?.recorded(model) ?? model,
                try await AgentLimits(file.limits, after: steps)
            ).classify(question.text)
            labels = result.output
            (usage, answered) = (Contract.Usage(result), result.model)
        } else {
            labels = LexicalClassifier(task.categories).labels(of: question.text)
            if !task.several { labels = Array(labels.prefix(1)) }
        }
        let text = labels.map { "\($0.category) (\(Self.percent($0.confidence)))" }.joined(separator: ", ")
        let answer = labels.isEmpty ? "The text fits none of the categories." : text
        try emit(.text(answer))
        struct Output: Encodable { var labels: [Classifier.Label] }
        return Outcome(
            state: .succeeded,
            answer: answer,
            output: try JSON(encoding: Output(labels: labels)),
            model: answered,
            usage: usage
        )
    }

    private func classifier(_ model: any Model, _ limits: AgentLimits) -> Classifier {
        Classifier(
            model: model,
            categories: task.categories.map { .init($0.name, $0.description) },
            several: task.several,
            options: file.options,
            outputMode: file.outputMode,
            limits: limits,
            budget: budget,
            logger: logger
        )
    }

    private static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }
}

/// Sorts by words alone: a category is likely as far as the words of its name and description stand in the text.
///
/// It understands nothing, and says so by its confidence: no word in common is no label, and few are a low number.
struct LexicalClassifier {
    static let modelName = "lexical"

    private let categories: [(name: String, words: Set<String>)]

    init(_ categories: [AgentFile.Classification.Category]) {
        self.categories = categories.map { ($0.name, Set(ContentWords.of($0.name + "\n" + $0.description))) }
    }

    /// The categories that have words in common with the text, the likeliest first.
    func labels(of text: String) -> [Classifier.Label] {
        let words = Set(ContentWords.of(text))
        // A word that several categories have tells less.
        var sharing: [String: Int] = [:]
        for category in categories { for word in category.words { sharing[word, default: 0] += 1 } }
        let scores = categories.map { category in
            category.words.intersection(words).reduce(0.0) { $0 + 1 / Double(sharing[$1] ?? 1) }
        }
        let total = scores.reduce(0, +)
        return zip(categories, scores).filter { $1 > 0 }
            // One word alone is weak evidence: as if one more spoke for none of them.
            .map { Classifier.Label(category: $0.name, confidence: $1 / (total + 1)) }
            .sorted { $0.confidence == $1.confidence ? $0.category < $1.category : $0.confidence > $1.confidence }
    }
}
