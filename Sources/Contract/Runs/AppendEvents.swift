public import Wire

/// Appends events to a run; the event `finished`, when it is among them, ends the run and stores the answer, in the same
/// transaction. Events that are stored already are left as they are, so that it may be sent again.
///
/// Errors: `failed_precondition` when the writer has lost its lease, or there is no such run.
public struct AppendEvents: Operation {
    /// The name on the wire.
    public static let name = "runs.append_events"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.agentRunner, .admin]
    /// What it answers with.
    public typealias Result = Done

    /// The run.
    public var run: RunID
    /// The runner, as it names itself.
    public var runner: String
    /// The attempt the lease was given for: a write from an earlier one is refused.
    public var attempt: Int
    /// The events, numbered without a gap.
    public var events: [RunEvent] { didSet { texts = nil } }
    /// With the event `finished`: calls of models that have ended just before.
    public var ended: [EndedStep]?
    /// The events as they are written, where the caller has shown or will show them too: to write them twice takes longer than all
    /// the rest of the call.
    private var texts: [JSON]?

    private enum CodingKeys: CodingKey { case run, runner, attempt, events, ended }

    /// The call with its arguments.
    /// - Parameter texts: The events' JSON, one for each, if it is known.
    public init(
        run: RunID,
        runner: String,
        attempt: Int,
        events: [RunEvent],
        ended: [EndedStep]? = nil,
        texts: [JSON]? = nil
    ) {
        self.run = run
        self.runner = runner
        self.attempt = attempt
        self.events = events
        self.ended = ended
        self.texts = texts
    }

    /// As `Codable` would write them, the events as they are known.
    public func encoded() throws -> JSON {
        guard let texts else { return try JSON(encoding: self) }
        return try JSON(
            encoding: Written(run: run, runner: runner, attempt: attempt, events: texts, ended: ended)
        )
    }

    private struct Written: Encodable {
        var run: RunID
        var runner: String
        var attempt: Int
        var events: [JSON]
        var ended: [EndedStep]?
    }
}

/// A step that was begun, with what it came to.
public struct EndedStep: Codable, Sendable, Equatable {
    /// Its place in the run.
    public var step: String
    /// What it came to; null when it failed.
    public var answer: JSON?
    /// Tokens sent, where the provider says so.
    public var inputTokens: Int
    /// Of these, those the provider had in its cache.
    public var cachedTokens: Int
    /// Tokens received.
    public var outputTokens: Int
    /// What it has cost, in millionths of a dollar, where the runner knows.
    public var microdollars: Int?
    /// Which of several models gave the answer.
    public var model: String?

    enum CodingKeys: String, CodingKey {
        case step, answer, microdollars, model
        case inputTokens = "input_tokens"
        case cachedTokens = "cached_tokens"
        case outputTokens = "output_tokens"
    }

    /// From its parts.
    public init(
        step: String,
        answer: JSON?,
        inputTokens: Int = 0,
        cachedTokens: Int = 0,
        outputTokens: Int = 0,
        microdollars: Int? = nil,
        model: String? = nil
    ) {
        self.step = step
        self.answer = answer
        self.inputTokens = inputTokens
        self.cachedTokens = cachedTokens
        self.outputTokens = outputTokens
        self.microdollars = microdollars
        self.model = model
    }
}
