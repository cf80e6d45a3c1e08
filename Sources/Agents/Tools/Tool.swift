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
        _ function: @escaping @Sendable (Arguments) async throws -> Result
    ) throws(AgentError) {
        let schema = try JSONSchema(of: Arguments.self)
        try self.init(name, description, parameters: schema.json, mayRepeat: mayRepeat, timeout: timeout) { arguments in
            let value = try Self.decode(Arguments.self, from: arguments)
            return try Self.text(of: try await function(value))
        }
    }

    /// A tool whose schema is known only at run time: `function` gets the arguments as the model wrote them and must check
    /// them itself.
    ///
    /// - Throws: ``AgentError/Code/misconfigured`` when the name is not allowed.
    public init(
        _ name: String,
        _ description: String,
        parameters: JSONValue,
        mayRepeat: Bool = false,
        timeout: Duration = .seconds(30),
        _ function: @escaping @Sendable (_ arguments: String) async throws -> String
    ) throws(AgentError) {
        let allowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard allowed, (1...64).contains(name.utf8.count) else {
            throw AgentError(.misconfigured, "The tool name \"\(name)\" is not 1 to 64 letters, digits, _ or -.")
        }
        self.definition = ToolDefinition(name: name, description: description, parameters: parameters)
        self.mayRepeat = mayRepeat
        self.timeout = timeout
        self.call = function
    }

    /// Calls the function. `nil` when the time was up; throws what the function throws, or `CancellationError`.
    func answer(_ arguments: String) async throws -> String? {
        guard running.begin() else { throw ToolError("The tool is busy. Try again later.") }
        return try await abandoning(after: timeout) {
            defer { running.end() }
            return try await call(arguments)
        }
    }

    /// Models write nothing at all for a function without arguments as often as `{}`.
    private static func decode<Arguments: Decodable>(_: Arguments.Type, from text: String) throws -> Arguments {
        let json = text.utf8.allSatisfy { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 } ? "{}" : text
        do {
            return try JSONDecoder.ofTools.decode(Arguments.self, from: Data(json.utf8))
        } catch {
            throw ToolError("The arguments are not usable: \(describe(error))")
        }
    }

    private static func text(of result: some Encodable) throws -> String {
        if let text = result as? String { return text }
        return String(decoding: try JSONEncoder.ofTools.encode(result), as: UTF8.self)
    }

    /// What a model can mend its arguments by.
    private static func describe(_ error: any Error) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.isEmpty ? "the arguments" : path.map(\.stringValue).joined(separator: ".")
        }
        return switch error {
        case DecodingError.keyNotFound(let key, let context): "\(place(context.codingPath + [key])) is missing."
        case DecodingError.typeMismatch(_, let context): "\(place(context.codingPath)) is of the wrong type."
        case DecodingError.valueNotFound(_, let context): "\(place(context.codingPath)) is null."
        case DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty: "they are not valid JSON."
        case DecodingError.dataCorrupted(let context): "\(place(context.codingPath)) has a value that is not allowed."
        default: "they cannot be read."
        }
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

    /// An error with a sentence for the model.
    public init(_ message: String) {
        self.message = message
    }

    /// The message.
    public var description: String { message }
}

extension JSONDecoder {
    /// Dates as the schema asks for them.
    fileprivate static var ofTools: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return decoder
    }
}

extension JSONEncoder {
    fileprivate static var ofTools: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
