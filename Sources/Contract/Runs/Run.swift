/// Where a run stands. The diagram is in `protocol/runs.md`.
public enum RunState: String, Codable, Sendable, CaseIterable {
    /// Accepted; no runner holds it.
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

    /// Where a question came from.
    public enum Channel: String, Codable, Sendable {
        case http, terminal, web, slack
    }

    public var text: String
    /// Who asked, as the channel names them.
    public var reader: String?
    public var channel: Channel

    public init(text: String, reader: String? = nil, channel: Channel) {
        self.text = text
        self.reader = reader
        self.channel = channel
    }
}

/// A claim's source: a stored section in which the quoted words stand verbatim.
public struct Citation: Codable, Sendable, Equatable {
    /// The number in the answer's text, `[1]`.
    public var number: Int
    public var section: Int
    public var book: Section.BookName
    public var headings: [String]
    public var file: String
    public var anchor: String
    public var quote: String

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
    public var requests: Int
    public var inputTokens: Int
    public var outputTokens: Int

    enum CodingKeys: String, CodingKey {
        case requests
        case inputTokens = "input_tokens"
        case outputTokens = "output_tokens"
    }

    public init(requests: Int = 0, inputTokens: Int = 0, outputTokens: Int = 0) {
        self.requests = requests
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
    }
}

/// A part of a run's work and when it took place, in milliseconds since the runner accepted the run.
public struct Span: Codable, Sendable, Equatable {
    public var name: String
    public var startMilliseconds: Int
    public var endMilliseconds: Int

    enum CodingKeys: String, CodingKey {
        case name
        case startMilliseconds = "start_ms"
        case endMilliseconds = "end_ms"
    }

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
        public var code: String
        public var message: String

        public init(code: String, message: String) {
            self.code = code
            self.message = message
        }
    }

    public var state: RunState
    /// The answer, with `[1]` where a citation belongs; what the documentation does not support was left out.
    public var answer: String?
    public var citations: [Citation]
    /// False when nothing in the documentation supports an answer, and the answer says so.
    public var supported: Bool
    public var error: Failure?
    public var model: String
    public var usage: Usage
    public var timeline: [Span]

    public init(
        state: RunState,
        answer: String? = nil,
        citations: [Citation] = [],
        supported: Bool = false,
        error: Failure? = nil,
        model: String,
        usage: Usage = Usage(),
        timeline: [Span] = []
    ) {
        self.state = state
        self.answer = answer
        self.citations = citations
        self.supported = supported
        self.error = error
        self.model = model
        self.usage = usage
        self.timeline = timeline
    }
}
