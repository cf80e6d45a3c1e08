public import Wire

/// Carries out operations that are known beforehand as one transaction: one frame here, one round trip to Postgres. All
/// of them, or none. Those that are a single statement can be part of it; their pages say so.
///
/// With an idempotency key the results are stored, and a repetition gets them again without anything being done.
/// Errors: those of the operations, whose place is in `details.operation`.
public struct RunBatch: Operation {
    /// The name on the wire.
    public static let name = "transactions.run"
    /// The roles that may call it.
    public static let callers = BeginTransaction.callers
    /// The most that are taken at once.
    public static let maximumOperations = 100

    /// One operation of the batch.
    public struct Entry: Codable, Sendable, Equatable {
        /// Its name.
        public var call: String
        /// Its arguments.
        public var arguments: JSON

        /// From its parts.
        public init(call: String, arguments: JSON) {
            self.call = call
            self.arguments = arguments
        }
    }

    /// The results, in the order of the operations.
    public struct Result: Codable, Sendable, Equatable {
        /// One for each operation.
        public var results: [JSON]
    }

    /// The operations, 1 to 100.
    public var operations: [Entry]

    /// The call with its arguments.
    public init(_ operations: [Entry]) {
        self.operations = operations
    }

    /// The arguments of the operations are passed on as they are.
    public func encoded() throws -> JSON {
        let entries = operations.map { JSON(object: ["arguments": $0.arguments, "call": JSON(string: $0.call)]) }
        return JSON(object: ["operations": JSON(array: entries)])
    }

    /// As above, the other way.
    /// - Throws: `DecodingError`.
    public init(decoding arguments: JSON) throws {
        func refusal(_ what: String) -> DecodingError {
            .dataCorrupted(.init(codingPath: [CodingKeys.operations], debugDescription: what))
        }
        guard let entries = arguments.member("operations")?.elements else { throw refusal("it has to be an array.") }
        operations = try entries.map { entry in
            guard let members = entry.members else { throw refusal("each has to be an object.") }
            guard let call = members.first(where: { $0.key == "call" })?.value.string else {
                throw refusal("each has to have a call, a string.")
            }
            let arguments = members.first { $0.key == "arguments" }?.value ?? .emptyObject
            return Entry(call: call, arguments: arguments)
        }
    }
}
