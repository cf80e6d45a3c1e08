public import Wire

/// A typed call on a service. The value itself is the call's arguments; a storage operation is one Postgres transaction.
///
/// `protocol/` describes each; names are `noun.verb` in lower case.
public protocol Operation: Codable, Sendable {
    /// What the operation answers with.
    associatedtype Result: Codable & Sendable
    /// The name on the wire.
    static var name: String { get }
    /// The roles that may call it.
    static var callers: Set<Role> { get }
    /// What it does to the service; it changes something unless it says otherwise.
    static var effect: Effect { get }
    /// The arguments as they travel.
    func encoded() throws -> JSON
    /// The call from its arguments.
    init(decoding arguments: JSON) throws
}

// By `Codable`, unless an operation passes on JSON that `Codable` would take apart.
extension Operation {
    /// It changes something.
    public static var effect: Effect { .changes }
    /// As `Codable` writes them.
    public func encoded() throws -> JSON { try JSON(encoding: self) }
    /// As `Codable` reads them.
    public init(decoding arguments: JSON) throws { self = try arguments.decode() }
}

/// An operation that answers with a stream of items, and then with its result.
public protocol StreamingOperation: Operation {
    /// One item of the stream.
    associatedtype Item: Codable & Sendable
}

/// The result of an operation that has nothing to say but that it was done: `{}`.
public struct Done: Codable, Sendable, Equatable {
    /// It is done.
    public init() {}
}
