public import Contract

/// Questions. They are only built: storage keeps one with its run, and a run lives by streams and leases, beyond any
/// transaction. Whoever tests runs uses `TestStorage.run`.
public struct QuestionFactory: DefaultFactory {
    private let text: String?
    private let reader: String?
    private let channel: Question.Channel

    /// A recipe; the words are unique unless they are given.
    public init(text: String? = nil, reader: String? = nil, channel: Question.Channel = .http) {
        self.text = text
        self.reader = reader
        self.channel = channel
    }

    /// One with words of its own.
    public init() {
        self.init(text: nil)
    }

    /// A plain question.
    public func build() -> Question {
        Question(text: text ?? Unique.text("What is") + "?", reader: reader, channel: channel)
    }
}
