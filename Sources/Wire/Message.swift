/// A call's number on its connection: from 1 to 2^53 − 1, strictly increasing.
public typealias CallID = Int

/// One message of the protocol (`protocol/README.md`, section 2).
public enum Message: Sendable, Equatable {
    case hello(Hello)
    case call(Call)
    case result(id: CallID, JSON)
    /// Without an id it is about the connection, which is closed next.
    case error(id: CallID?, ServiceError)
    case item(id: CallID, sequence: Int, JSON)
    case end(id: CallID, items: Int, result: JSON?)
    case credit(id: CallID, Int)
    case cancel(id: CallID, reason: String)
    case ping(Int)
    case pong(Int)
    case goaway(Goaway)

    /// What each side says of itself first.
    public struct Hello: Sendable, Equatable {
        /// The protocol versions it speaks.
        public var versions: ClosedRange<Int>
        /// Who it says it is: for the log only.
        public var role: String
        /// Its build, for the log.
        public var build: String
        /// What it accepts.
        public var limits: Accepted

        /// A greeting.
        public init(versions: ClosedRange<Int> = Limits.versions, role: String, build: String, limits: Accepted) {
            self.versions = versions
            self.role = role
            self.build = build
            self.limits = limits
        }
    }

    /// The part of the limits that the peer must know.
    public struct Accepted: Sendable, Equatable {
        /// Octets of a payload.
        public var frameBytes: Int
        /// Calls in flight on the connection.
        public var callsInFlight: Int
        /// Streams open on the connection.
        public var streamsOpen: Int
        /// Items of credit a stream may have.
        public var credit: Int

        /// What a side with these limits accepts.
        public init(_ limits: Limits = .standard) {
            frameBytes = limits.frameBytes
            callsInFlight = limits.callsInFlight
            streamsOpen = limits.streamsOpen
            credit = limits.credit
        }
    }

    /// A call of an operation.
    public struct Call: Sendable, Equatable {
        /// The call's number, the caller's choice.
        public var id: CallID
        /// The call in flight on the same connection whose scope this one belongs to.
        public var within: CallID?
        /// The operation's name.
        public var operation: String
        /// An object.
        public var arguments: JSON
        /// Milliseconds that remain, not yet capped; nil is the usual deadline.
        public var deadlineMilliseconds: Int?
        /// The initial credit where a streamed answer is wanted.
        public var stream: Int?
        /// The caller's name for its intention.
        public var idempotencyKey: String?
        /// The span that calls.
        public var traceparent: TraceParent?

        /// A call.
        public init(
            id: CallID,
            operation: String,
            within: CallID? = nil,
            arguments: JSON = .emptyObject,
            deadlineMilliseconds: Int? = nil,
            stream: Int? = nil,
            idempotencyKey: String? = nil,
            traceparent: TraceParent? = nil
        ) {
            self.id = id
            self.operation = operation
            self.within = within
            self.arguments = arguments
            self.deadlineMilliseconds = deadlineMilliseconds
            self.stream = stream
            self.idempotencyKey = idempotencyKey
            self.traceparent = traceparent
        }

        /// The deadline that holds, by the protocol's default and cap.
        public var deadline: Duration {
            .milliseconds(
                min(deadlineMilliseconds ?? Limits.usualDeadlineMilliseconds, Limits.longestDeadlineMilliseconds)
            )
        }
    }

    /// A service's notice that it stops.
    public struct Goaway: Sendable, Equatable {
        /// The last id that is still answered; 0 when none is.
        public var last: CallID
        /// Why, for the log.
        public var reason: String
        /// How long calls in flight may take.
        public var graceMilliseconds: Int

        /// The reason of a service that ends for want of work: the next connection starts it again.
        public static let idle = "idle"

        /// A notice.
        public init(last: CallID, reason: String, graceMilliseconds: Int) {
            self.last = last
            self.reason = reason
            self.graceMilliseconds = graceMilliseconds
        }
    }
}
