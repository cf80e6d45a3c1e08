public import Logging

/// Summarises a text; every sentence points at the words of the text it rests on.
///
/// The words are looked up: a sentence whose words do not stand in the text, or that names a number they do not hold, goes
/// back to the model with the reason. What cannot be mended is an error, not a summary that nobody checked.
public struct Summariser: Sendable {
    /// What answers.
    public var model: any Model
    /// The most sentences a summary may have.
    public var sentences: Int
    /// For whom it is written.
    public var audience: String?
    /// How the model is to answer.
    public var options: ModelOptions
    /// How it is brought to the form of its answer.
    public var outputMode: OutputMode
    /// Where a run ends at the latest.
    public var limits: AgentLimits
    /// What it may spend together with others.
    public var budget: Budget?
    /// Where runs are logged.
    public var logger: Logger

    /// A summariser.
    public init(
        model: any Model,
        sentences: Int = 3,
        audience: String? = nil,
        options: ModelOptions = ModelOptions(),
        outputMode: OutputMode = .automatic,
        limits: AgentLimits = AgentLimits(),
        budget: Budget? = nil,
        logger: Logger = Logger(label: "agents")
    ) {
        self.model = model
        self.sentences = max(1, sentences)
        self.audience = audience
        self.options = options
        self.outputMode = outputMode
        self.limits = limits
        self.budget = budget
        self.logger = logger
    }

    /// The summary of a text.
    ///
    /// - Throws: ``AgentError``.
    public func summarise(_ text: String) async throws -> AgentResult<Summary> {
        let choice = try OutputChoice("summary", "Gives the summary.", schema: schema) { value in
            try summary(try value.decoded(), of: text)
        }
        let agent = Agent(
            model: model,
            instructions: instructions,
            output: try .oneOf([choice], mode: outputMode),
            options: options,
            limits: limits,
            budget: budget,
            logger: logger
        )
        return try await agent.run(Quoted.text(text))
    }

    private var schema: JSONValue {
        let sentence: JSONValue = [
            "type": "object",
            "properties": [
                "text": ["type": "string", "description": "One sentence of the summary."],
                "quotes": [
                    "type": "array",
                    "items": ["type": "string"],
                    "description": "The words of the text it rests on, copied exactly; one to three passages.",
                ],
            ],
            "required": ["text", "quotes"],
            "additionalProperties": false,
        ]
        return [
            "type": "object",
            "properties": ["sentences": ["type": "array", "items": sentence]],
            "required": ["sentences"],
            "additionalProperties": false,
        ]
    }

    private var instructions: String {
        let readers = audience.map { " Write for \($0)." } ?? ""
        return """
            You summarise a text in at most \(sentences) \(sentences == 1 ? "sentence" : "sentences"), in its language.\(readers) \
            Say only what the text says. With each sentence give the words of the text it rests on, copied exactly. \(Quoted.rule)
            """
    }

    /// All that is wrong at once, so that one more try may mend it.
    private func summary(_ answer: Answer, of text: String) throws -> Summary {
        var complaints: [String] = []
        if answer.sentences.isEmpty { complaints.append("There is no sentence.") }
        if answer.sentences.count > sentences {
            complaints.append("There are \(answer.sentences.count) sentences; there may be \(sentences).")
        }
        let checked = answer.sentences.enumerated().map { index, sentence in
            let spans = sentence.quotes.compactMap { SourceSpan($0, in: text) }
            if spans.isEmpty || spans.count < sentence.quotes.count {
                complaints.append(
                    "Sentence \(index + 1): the quoted words do not stand in the text. Copy them exactly."
                )
            }
            let missing = Self.numbers(in: sentence.text).subtracting(spans.flatMap { Self.numbers(in: $0.quote) })
            if let number = missing.sorted().first {
                complaints.append("Sentence \(index + 1): \(number) does not stand in the quoted words.")
            }
            return Summary.Sentence(text: sentence.text, sources: spans)
        }
        guard complaints.isEmpty else { throw OutputError(complaints.joined(separator: " ")) }
        return Summary(sentences: checked)
    }

    /// What a reader would check first, and a model gets wrong most easily.
    private static func numbers(in text: String) -> Set<String> {
        Set(
            text.split { !$0.isNumber && $0 != "." && $0 != "," }
                .map { $0.filter(\.isNumber) }.filter { !$0.isEmpty }
        )
    }

    private struct Answer: Decodable {
        struct Sentence: Decodable {
            var text: String
            var quotes: [String]
        }

        var sentences: [Sentence]
    }
}

/// A summary whose sentences say where they are from.
public struct Summary: Sendable, Hashable, Codable {
    /// One sentence.
    public struct Sentence: Sendable, Hashable, Codable {
        /// As it is read.
        public var text: String
        /// The words of the source it rests on; at least one passage.
        public var sources: [SourceSpan]

        /// A sentence.
        public init(text: String, sources: [SourceSpan]) {
            self.text = text
            self.sources = sources
        }
    }

    /// The sentences in order.
    public var sentences: [Sentence]

    /// A summary.
    public init(sentences: [Sentence]) {
        self.sentences = sentences
    }

    /// The JSON Schema of a summary as JSON.
    public static let schema: JSONValue = [
        "type": "object",
        "properties": [
            "sentences": [
                "type": "array",
                "items": [
                    "type": "object",
                    "properties": [
                        "text": ["type": "string"], "sources": ["type": "array", "items": SourceSpan.schema],
                    ],
                    "required": ["text", "sources"],
                ],
            ]
        ],
        "required": ["sentences"],
    ]

    /// The sentences as one text.
    public var text: String { sentences.map(\.text).joined(separator: " ") }
}

/// A passage of a source text.
public struct SourceSpan: Sendable, Hashable, Codable {
    /// Where it begins, in Unicode code points from the start of the source.
    public var start: Int
    /// Where it ends: behind its last code point.
    public var end: Int
    /// The words, as they stand there.
    public var quote: String

    static let schema: JSONValue = [
        "type": "object",
        "properties": [
            "start": ["type": "integer", "minimum": 0], "end": ["type": "integer", "minimum": 0],
            "quote": ["type": "string"],
        ],
        "required": ["start", "end", "quote"],
    ]

    /// The passage of `source` that `quote` quotes, give or take white space and the shape of quotation marks; `nil` when
    /// it does not stand there.
    public init?(_ quote: String, in source: String) {
        guard let range = Verbatim.range(of: quote, in: source) else { return nil }
        self.init(range, of: source)
    }

    /// The passage at `range` of `source`.
    public init(_ range: Range<String.Index>, of source: String) {
        let scalars = source.unicodeScalars
        start = scalars.distance(from: scalars.startIndex, to: range.lowerBound)
        end = start + scalars.distance(from: range.lowerBound, to: range.upperBound)
        self.quote = String(source[range])
    }
}
