/// Who is connected to a service, answered like `GetHealth`.
public struct ListConnections: Operation {
    /// The name on the wire.
    public static let name = "connections"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// It changes nothing.
    public static let effect = Effect.reads

    /// A connection.
    public struct Connection: Codable, Sendable, Equatable {
        /// Its name in the log, `c7`.
        public var connection: String
        /// The role of the socket it came in on.
        public var role: Role
        /// The process that connected, its user and its group, by the kernel's word (`SO_PEERCRED`).
        public var pid: Int
        /// The user.
        public var uid: Int
        /// The group.
        public var gid: Int
        /// When it came.
        public var since: String
        /// Calls in flight on it.
        public var calls: Int
        /// Octets that came from it.
        public var octetsIn: Int
        /// Octets that went to it.
        public var octetsOut: Int

        enum CodingKeys: String, CodingKey {
            case connection, role, pid, uid, gid, since, calls
            case octetsIn = "octets_in"
            case octetsOut = "octets_out"
        }

        /// From its parts.
        public init(
            connection: String,
            role: Role,
            pid: Int,
            uid: Int,
            gid: Int,
            since: String,
            calls: Int,
            octetsIn: Int,
            octetsOut: Int
        ) {
            self.connection = connection
            self.role = role
            self.pid = pid
            self.uid = uid
            self.gid = gid
            self.since = since
            self.calls = calls
            self.octetsIn = octetsIn
            self.octetsOut = octetsOut
        }
    }

    /// What it answers with.
    public struct Result: Codable, Sendable, Equatable {
        /// The oldest first.
        public var connections: [Connection]

        /// From its part.
        public init(connections: [Connection]) {
            self.connections = connections
        }
    }

    /// The call with its arguments.
    public init() {}
}

/// The calls a service works on, answered like `GetHealth`.
public struct ListCalls: Operation {
    /// The name on the wire.
    public static let name = "calls"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// It changes nothing.
    public static let effect = Effect.reads

    /// A call in flight.
    public struct Call: Codable, Sendable, Equatable {
        /// The connection it came in on.
        public var connection: String
        /// Its number there.
        public var id: Int
        /// The role of its caller.
        public var role: Role
        /// The operation.
        public var operation: String
        /// Milliseconds since it came.
        public var ageMilliseconds: Int
        /// Milliseconds until its caller stops waiting; absent for a stream, whose deadline starts anew with each item.
        public var deadlineMilliseconds: Int?
        /// The trace it belongs to.
        public var traceID: String
        /// The run it is about, where it is about one.
        public var run: RunID?
        /// The call whose scope it belongs to.
        public var within: Int?

        enum CodingKeys: String, CodingKey {
            case connection, id, role, operation, run, within
            case ageMilliseconds = "age_ms"
            case deadlineMilliseconds = "deadline_ms"
            case traceID = "trace_id"
        }

        /// From its parts.
        public init(
            connection: String,
            id: Int,
            role: Role,
            operation: String,
            ageMilliseconds: Int,
            deadlineMilliseconds: Int?,
            traceID: String,
            run: RunID?,
            within: Int?
        ) {
            self.connection = connection
            self.id = id
            self.role = role
            self.operation = operation
            self.ageMilliseconds = ageMilliseconds
            self.deadlineMilliseconds = deadlineMilliseconds
            self.traceID = traceID
            self.run = run
            self.within = within
        }
    }

    /// What it answers with.
    public struct Result: Codable, Sendable, Equatable {
        /// The oldest first.
        public var calls: [Call]

        /// From its part.
        public init(calls: [Call]) {
            self.calls = calls
        }
    }

    /// The call with its arguments.
    public init() {}
}
