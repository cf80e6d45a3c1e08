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
