public import Contract
public import Logging
internal import Synchronization
public import Wire

/// A connection's number, unique in the process; leases are bound to it.
public struct ConnectionID: Sendable, Hashable, Comparable, CustomStringConvertible {
    private static let last = Atomic<UInt64>(0)
    private let number: UInt64

    /// The next number.
    public init() {
        number = Self.last.add(1, ordering: .relaxed).newValue
    }

    /// `c7`
    public var description: String { "c\(number)" }

    /// The one that came first is the smaller.
    public static func < (one: Self, other: Self) -> Bool { one.number < other.number }
}

/// Who is at the other end by the kernel's word (`SO_PEERCRED`), for the log. The three fields are those of `struct
/// ucred`, in its order.
public struct PeerCredentials: Sendable, Equatable {
    /// The process that connected.
    public var pid: Int32
    /// Its user.
    public var uid: UInt32
    /// Its group.
    public var gid: UInt32
}

/// What a handler knows about the call it answers.
public struct CallContext: Sendable {
    /// The connection it came in on.
    public let connection: ConnectionID
    /// The role of the socket it came in on.
    public let role: Role
    /// The operation's name.
    public let operation: String
    /// When the caller stops waiting; for a stream, for the first item. The handler's task is cancelled then.
    public let deadline: ContinuousClock.Instant
    /// The caller's name for its intention.
    public let idempotencyKey: String?
    /// This call's own span in the caller's trace, or where spans are not kept the caller's: what is passed on in further calls.
    public let traceparent: TraceParent
    /// The span of the caller, as it was sent: what belongs there also when this process and its span are lost.
    public let callerTraceparent: TraceParent?
    /// Who connected; nil where the system does not tell.
    public let peer: PeerCredentials?
    /// The arguments as they were sent, for a handler that stores a part of them as it is.
    public let arguments: JSON
    /// The scope this call opens, where its operation does that.
    public let scope: CallScope?
    /// The scope it belongs to.
    public let within: CallScope?
    let base: Logger

    /// What may be passed on to a further call: what remains, less 50 ms for the hop.
    public var remaining: Duration {
        max(.zero, ContinuousClock.now.duration(to: deadline) - .milliseconds(Limits.hopMilliseconds))
    }

    /// Who calls, for the log: the role, and who exactly where that is a person.
    public var caller: String {
        guard role == .admin, let peer else { return role.rawValue }
        return "uid \(peer.uid), pid \(peer.pid)"
    }

    /// Who calls, for the record: the user by name, where this machine knows one; who is no person, by role.
    public var user: String {
        guard role == .admin, let peer else { return role.rawValue }
        return UserName.of(peer.uid) ?? "uid \(peer.uid)"
    }

    /// A logger that carries the operation, the caller, the connection, the trace id, and the run that the call is about:
    /// in the journal each is a field of its own.
    public var logger: Logger {
        var logger = base
        logger[metadataKey: "operation"] = "\(operation)"
        logger[metadataKey: "caller"] = "\(caller)"
        logger[metadataKey: "connection"] = "\(connection)"
        logger[metadataKey: "trace_id"] = "\(traceparent.traceID)"
        if let run = arguments.run { logger[metadataKey: "run_id"] = "\(run)" }
        return logger
    }
}
