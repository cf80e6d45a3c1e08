/// A step of a run as its record shows it. Times are milliseconds from the acceptance of the run.
public struct RunStep: Codable, Sendable, Equatable {
    /// Its place in the run.
    public var step: String
    /// The attempt that did it.
    public var attempt: Int
    /// What was called.
    public var kind: BeginStep.Kind
    /// The model's name, or the tool's.
    public var name: String
    /// When it began.
    public var startMilliseconds: Int
    /// When it ended; null while it is under way, or when its end was never told.
    public var endMilliseconds: Int?
    /// Tokens sent; as estimated until it has ended.
    public var inputTokens: Int
    /// Tokens received.
    public var outputTokens: Int

    enum CodingKeys: String, CodingKey {
        case step, attempt, kind, name
        case startMilliseconds = "start_ms"
        case endMilliseconds = "end_ms"
        case inputTokens = "input_tokens"
        case outputTokens = "output_tokens"
    }

    /// From its parts.
    public init(
        step: String,
        attempt: Int = 1,
        kind: BeginStep.Kind,
        name: String,
        startMilliseconds: Int,
        endMilliseconds: Int?,
        inputTokens: Int = 0,
        outputTokens: Int = 0
    ) {
        self.step = step
        self.attempt = attempt
        self.kind = kind
        self.name = name
        self.startMilliseconds = startMilliseconds
        self.endMilliseconds = endMilliseconds
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
    }
}
