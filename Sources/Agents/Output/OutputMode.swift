/// How a model is brought to answer with a value and not with prose. The schema is the same in all, and so is the check.
public enum OutputMode: String, Sendable, Hashable, Codable, CaseIterable {
    /// The first of the others that the model can do, in the order they stand here.
    case automatic
    /// The value is the arguments of a tool the model is given for it. Goes along with other tools, and with streaming.
    case tool
    /// The provider holds the model's text to the schema.
    case native
    /// The model is shown the schema and asked to keep to it: for models that can do neither.
    case prompted

    /// The mode itself, once it is known what the model can do. Who cannot be held to a schema is asked to keep to it.
    func resolved(for capabilities: ModelCapabilities) -> OutputMode {
        switch self {
        case .automatic: capabilities.tools ? .tool : OutputMode.native.resolved(for: capabilities)
        case .native: capabilities.nativeSchema ? .native : .prompted
        case .tool, .prompted: self
        }
    }
}

/// What a validator throws to send an output back to the model.
public struct OutputError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong with it, in a sentence the model can mend it by.
    public var message: String

    /// An error with a sentence for the model.
    public init(_ message: String) {
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
