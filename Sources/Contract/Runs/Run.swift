public import Wire

/// Where a run stands. The diagram is in `protocol/runs.md`.
public enum RunState: String, Choice {
    /// Accepted for later, or to be tried again after a pause.
    case scheduled
    /// Others of its lane go first.
    case waiting
    /// The next runner that offers its agent gets it.
    case queued
    /// A runner holds its lease.
    case running
    case succeeded, failed, cancelled

    /// Nothing can happen to the run any more.
    public var isTerminal: Bool { self == .succeeded || self == .failed || self == .cancelled }
}

/// What a reader asked, and where.
public struct Question: Codable, Sendable, Equatable {
    /// The longest question, in UTF-8 bytes: some pages of text, and far below a frame.
    public static let maximumBytes = 16_384
    /// The longest name of a reader, in UTF-8 bytes: room for any address or name a channel gives.
    public static let maximumReaderBytes = 200

    /// Where a question came from.
    public enum Channel: String, Choice {
        case http, terminal, web, slack
        /// Nobody asked: its time had come.
        case schedule
    }

    /// The words.
    public var text: String
    /// Who asked, as the channel names them.
    public var reader: String?
    /// Where it was asked.
    public var channel: Channel

    /// From its parts.
    public init(text: String, reader: String? = nil, channel: Channel) {
        self.text = text
        self.reader = reader
        self.channel = channel
    }

    /// Refuses what no service takes. Errors: `invalid_argument`.
    /// - Parameter field: What the words are called where they came from.
    public func check(field: String = "question") throws(ServiceError) {
        let bytes = text.utf8.count
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw .invalidArgument("\"\(field)\" is empty: say what you want to know.")
        }
        guard bytes <= Self.maximumBytes else {
            throw .invalidArgument("\"\(field)\" has at most \(Self.maximumBytes) bytes; this one has \(bytes).")
        }
        guard reader.map({ (1...Self.maximumReaderBytes).contains($0.utf8.count) }) ?? true else {
            throw .invalidArgument(
                "\"reader\" has 1 to \(Self.maximumReaderBytes) bytes; this one has \(reader?.utf8.count ?? 0)."
            )
        }
    }
}

/// A claim's source: a stored section in which the quoted words stand verbatim.
public struct Citation: Codable, Sendable, Equatable {
    /// The number in the answer's text, `[1]`.
    public var number: Int
    /// The section quoted.
    public var section: Int
    /// The book.
    public var book: Section.BookName
    /// The heading path, the section's own heading last.
    public var headings: [String]
    /// The source file.
    public var file: String
    /// The fragment that leads to it within the file.
    public var anchor: String
    /// The words, as they stand in the section.
    public var quote: String

    /// From its parts.
    public init(number: Int, section: Section, quote: String) {
        self.number = number
        self.section = section.id
        book = section.book
        headings = section.headings
        file = section.file
        anchor = section.anchor
        self.quote = quote
    }
}

/// What model calls have used.
public struct Usage: Codable, Sendable, Equatable {
    /// Calls of the model.
    public var requests: Int
    /// Tokens sent, where the provider says so.
    public var inputTokens: Int
    /// Tokens received, where the provider says so.
    public var outputTokens: Int
    /// What all of it cost, in millionths of a US dollar; nil when the price of a part is not known.
    public var microdollars: Int?
    /// True where some of the tokens are estimated, since the provider did not count them.
    public var estimated: Bool?

    enum CodingKeys: String, CodingKey {
        case requests, microdollars, estimated
        case inputTokens = "input_tokens"
        case outputTokens = "output_tokens"
    }

    /// From its parts.
    public init(
        requests: Int = 0,
        inputTokens: Int = 0,
        outputTokens: Int = 0,
        microdollars: Int? = nil,
        estimated: Bool? = nil
    ) {
        self.requests = requests
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.microdollars = microdollars
        self.estimated = estimated
    }

    /// Adds `right` to `left`. What was not used has cost nothing.
    public static func += (left: inout Usage, right: Usage) {
        let costs = [left, right].filter { $0.requests > 0 }.map(\.microdollars)
        left = Usage(
            requests: left.requests + right.requests,
            inputTokens: left.inputTokens + right.inputTokens,
            outputTokens: left.outputTokens + right.outputTokens,
            microdollars: costs.isEmpty || costs.contains(nil) ? nil : costs.compactMap(\.self).reduce(0, +),
            estimated: left.estimated == true || right.estimated == true ? true : nil
        )
    }
}

/// A part of a run's work and when it took place, in milliseconds since the runner accepted the run.
public struct Span: Codable, Sendable, Equatable {
    /// `tell`, `store` or `agent`; `agent/NAME` for each of several agents at once.
    public var name: String
    /// When it began.
    public var startMilliseconds: Int
    /// When it ended.
    public var endMilliseconds: Int

    enum CodingKeys: String, CodingKey {
        case name
        case startMilliseconds = "start_ms"
        case endMilliseconds = "end_ms"
    }

    /// From its parts.
    public init(name: String, startMilliseconds: Int, endMilliseconds: Int) {
        self.name = name
        self.startMilliseconds = startMilliseconds
        self.endMilliseconds = endMilliseconds
    }
}

/// How a run ended.
public struct Outcome: Codable, Sendable, Equatable {
    /// Why a run failed: a code of the protocol's errors, and a sentence.
    public struct Failure: Codable, Sendable, Equatable {
        /// A code of the protocol's errors.
        public var code: String
        /// A sentence for people.
        public var message: String

        /// From its parts.
        public init(code: String, message: String) {
            self.code = code
            self.message = message
        }
    }

    /// Where it stands.
    public var state: RunState
    /// The answer, with `[1]` where a citation belongs; what the documentation does not support was left out.
    public var answer: String?
    /// What an agent answers with that does so in a form of its own; its schema is in the list of agents.
    public var output: JSON?
    /// The sources, by number.
    public var citations: [Citation]
    /// False when nothing in the documentation supports an answer, and the answer says so.
    public var supported: Bool
    /// Why it failed.
    public var error: Failure?
    /// The model's name.
    public var model: String
    /// The model that was to answer, where another has taken its place.
    public var insteadOf: String?
    /// True where the answer ends in the middle, since the model may say no more at a time.
    public var cutOff: Bool?
    /// What its model calls used.
    public var usage: Usage
    /// When its parts took place.
    public var timeline: [Span]

    enum CodingKeys: String, CodingKey {
        case state, answer, output, citations, supported, error, model, usage, timeline
        case insteadOf = "instead_of"
        case cutOff = "cut_off"
    }

    /// From its parts.
    public init(
        state: RunState,
        answer: String? = nil,
        output: JSON? = nil,
        citations: [Citation] = [],
        supported: Bool = false,
        error: Failure? = nil,
        model: String,
        insteadOf: String? = nil,
        usage: Usage = Usage(),
        timeline: [Span] = []
    ) {
        self.state = state
        self.answer = answer
        self.output = output
        self.citations = citations
        self.supported = supported
        self.error = error
        self.model = model
        self.insteadOf = insteadOf
        self.usage = usage
        self.timeline = timeline
    }
}
