import FoundationEssentials
import Synchronization

/// A function a model may call.
///
/// The arguments are any `Decodable` type; the model is told their JSON Schema, which is found by decoding the type once
/// (see ``JSONSchema``). The result is text, or any `Encodable` type, which is sent as JSON.
///
/// ```swift
/// struct Place: Decodable { let city: String }
///
/// let weather = try Tool("weather", "The temperature in a city, in °C.") { (place: Place) in
///     "21"
/// }
/// ```
///
/// The function may block its thread: it has threads of its own, besides those that tasks share.
///
/// A ``ToolError`` the function throws is told to the model, word for word. Any other error is told as "failed", for it
/// may hold what the model should not read.
public struct Tool: Sendable {
    /// What the model knows of it.
    public let definition: ToolDefinition
    /// Whether calling it twice with the same arguments does no more than calling it once: reading does, ordering does not.
    /// After an interruption a tool that may not be repeated is not called again when nobody knows what it did.
    public let mayRepeat: Bool
    /// How long one call may take; after it the call is cancelled, and abandoned if it does not stop.
    public let timeout: Duration
    /// How often one run may call it; the model is told when that is over. Nil leaves it to ``AgentLimits/toolCalls``.
    public let callsPerRun: Int?
    private let schema: CheckedSchema
    private let call: @Sendable (_ arguments: String) async throws -> String
    private let running = RunningCalls()

    /// 1 to 64 letters, digits, `_` or `-`: the set every provider takes.
    public var name: String { definition.name }

    /// A tool from a function with typed arguments.
    ///
    /// - Throws: ``AgentError/Code/misconfigured`` when the name is not allowed or the arguments' type cannot be described.
    public init<Arguments: Decodable & SendableMetatype, Result: Encodable & SendableMetatype>(
        _ name: String,
        _ description: String,
        mayRepeat: Bool = false,
        timeout: Duration = .seconds(30),
        callsPerRun: Int? = nil,
        _ function: @escaping @Sendable (Arguments) async throws -> Result
    ) throws(AgentError) {
        try self.init(
            name,
            description,
            parameters: try JSONSchema(of: Arguments.self).json,
            mayRepeat: mayRepeat,
            timeout: timeout,
            callsPerRun: callsPerRun
        ) { arguments in
            let value: Arguments
            do {
                value = try JSONDecoder.ofTools.decode(Arguments.self, from: Data(arguments.utf8))
            } catch {
                throw ToolError.unusable(DecodingSentence.of(error, whole: "the arguments"))
            }
            return try Self.text(of: try await function(value))
        }
    }

    /// A tool whose schema is known only at run time. `function` gets the arguments as JSON text; they match the schema, unless
    /// it asks for what cannot be checked here: then `function` must check them itself.
    ///
    /// - Throws: ``AgentError/Code/misconfigured`` when the name is not allowed.
    public init(
        _ name: String,
        _ description: String,
        parameters: JSONValue,
        mayRepeat: Bool = false,
        timeout: Duration = .seconds(30),
        callsPerRun: Int? = nil,
        _ function: @escaping @Sendable (_ arguments: String) async throws -> String
    ) throws(AgentError) {
        guard ToolDefinition.isName(name) else {
            throw AgentError(.misconfigured, "The tool name \"\(name)\" is not 1 to 64 letters, digits, _ or -.")
        }
        self.definition = ToolDefinition(name: name, description: description, parameters: parameters)
        self.mayRepeat = mayRepeat
        self.timeout = timeout
        self.callsPerRun = callsPerRun
        self.schema = (try? CheckedSchema(parameters)) ?? .none
        self.call = function
    }

    /// Calls the function. `nil` when the time was up; throws what the function throws, or `CancellationError`.
    func answer(_ arguments: String) async throws -> String? {
        let arguments = try checked(arguments)
        guard running.begin() else { throw ToolError("The tool is busy. Try again later.") }
        return try await abandoning(after: timeout) {
            defer { running.end() }
            return try await call(arguments)
        }
    }

    /// The arguments as JSON that matches the schema. Models write nothing at all for a function without arguments as often
    /// as `{}`.
    private func checked(_ text: String) throws(ToolError) -> String {
        let isBlank = text.utf8.allSatisfy { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
        guard let json = JSONValue(text: isBlank ? "{}" : text) else {
            throw .unusable("they are not valid JSON.")
        }
        let arguments = json.withoutNulls(for: definition.parameters)
        if let complaints = schema.complaints(about: arguments) { throw .unusable(complaints) }
        return arguments == json && !isBlank ? text : arguments.text
    }

    private static func text(of result: some Encodable) throws -> String {
        if let text = result as? String { return text }
        return String(decoding: try JSONEncoder.ofTools.encode(result), as: UTF8.self)
    }
}

extension ToolDefinition {
    static func isName(_ name: String) -> Bool {
        let allowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return allowed && (1...64).contains(name.utf8.count)
    }
}

/// How many calls of one tool have not ended, the abandoned ones included: were there no bound, a function that never
/// stops would gather tasks for as long as the process lives.
private final class RunningCalls: Sendable {
    /// More than all runs of one process should ever want of one tool at the same time.
    private static let limit = 256
    private let count = Atomic(0)

    func begin() -> Bool {
        guard count.wrappingAdd(1, ordering: .relaxed).newValue <= Self.limit else {
            end()
            return false
        }
        return true
    }

    func end() {
        count.wrappingSubtract(1, ordering: .relaxed)
    }
}

/// The arguments of a function that takes none.
public struct NoArguments: Decodable, Sendable {}

/// What a tool throws to tell the model what went wrong and what to do about it.
public struct ToolError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A sentence for the model.
    public var message: String
    /// Whether the model is to call again, and better.
    public var isMistake: Bool

    /// What the tool was asked for cannot be had: an answer as good as any.
    public init(_ message: String) {
        self.message = message
        self.isMistake = false
    }

    private init(mistake message: String) {
        self.message = message
        self.isMistake = true
    }

    /// The model called it wrongly, and is to call again. It may do so ``AgentLimits/toolRetries`` times in a row.
    public static func mistake(_ message: String) -> ToolError {
        ToolError(mistake: message)
    }

    static func unusable(_ complaints: String) -> ToolError {
        .mistake("The arguments are not usable: \(complaints)")
    }

    /// The message.
    public var description: String { message }
}
