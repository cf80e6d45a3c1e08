public import Contract
internal import FoundationEssentials
public import Wire

/// The table of a service: which operations it has, and what answers them. The type of an operation's handler is erased
/// here, once.
public struct Operations: Sendable {
    struct Entry: Sendable {
        var name: String
        var callers: Set<Role>
        var streams: Bool
        /// Ended, not waited for, when the service stops.
        var standing: Bool
        /// Whether it does next to nothing between its waits, and so runs on the event loop.
        var isBrief = false
        /// Whether further calls may be made within it.
        var opensScope = false
        /// Whether it may belong to the scope of another call.
        var mayBeWithin = false
        var effect: Effect
        var run: @Sendable (JSON, CallContext, ItemSink) async throws -> JSON
    }

    let service: String
    let version: String
    private(set) var entries: [String: Entry] = [:]
    private(set) var immediates = Dictionary(uniqueKeysWithValues: Immediate.ofEveryService.map { ($0.name, $0) })
    private(set) var condition: @Sendable () -> ServiceCondition = { ServiceCondition() }

    /// An empty table.
    /// - Parameters:
    ///   - service: the service's name, as in `health`.
    ///   - version: Octavo's version.
    public init(service: String, version: String) {
        self.service = service
        self.version = version
    }

    /// Answers an operation. Thrown `ServiceError`s travel; any other error is a defect, logged and told as `internal`.
    public mutating func on<O: Operation>(
        _ operation: O.Type,
        _ handler: @Sendable @escaping (O, CallContext) async throws -> O.Result
    ) {
        onJSON(operation) { try await JSON(encoding: handler($0, $1)) }
    }

    /// Answers an operation with text that is JSON already, such as Postgres'. It is passed through: nothing but its size
    /// is checked.
    public mutating func onJSON<O: Operation>(
        _ operation: O.Type,
        _ handler: @Sendable @escaping (O, CallContext) async throws -> JSON
    ) {
        add(O.self, streams: false) { arguments, context, _ in
            try await handler(arguments.decodeArguments(of: O.self), context)
        }
    }

    /// Answers an operation with a stream of items, and then its result. Leaving the handler ends the stream.
    /// - Parameter standing: the stream waits for things to come and has no end of its own. When the service stops it is
    ///   ended at once, as `unavailable`, instead of holding the stop for the whole grace.
    public mutating func onStream<O: StreamingOperation>(
        _ operation: O.Type,
        standing: Bool = false,
        _ handler: @Sendable @escaping (O, CallContext, ItemWriter<O.Item>) async throws -> O.Result
    ) {
        add(O.self, streams: true, standing: standing) { arguments, context, sink in
            try await JSON(encoding: handler(arguments.decodeArguments(of: O.self), context, ItemWriter(sink: sink)))
        }
    }

    /// Answers an operation that opens a scope for further calls within it: `CallContext.scope`. It streams, so that its
    /// caller is told how the scope fares.
    public mutating func onScope<O: StreamingOperation>(
        _ operation: O.Type,
        _ handler: @Sendable @escaping (O, CallContext, ItemWriter<O.Item>) async throws -> O.Result
    ) {
        onStream(operation, handler)
        entries[O.name]?.opensScope = true
    }

    /// Lets an operation belong to a scope: its handler heeds `CallContext.within`.
    public mutating func allowWithin<O: Operation>(_ operation: O.Type) {
        entries[O.name]?.mayBeWithin = true
    }

    /// Has an operation run on the event loop that reads its calls: two changes of thread less for each. For one that only
    /// asks the database and passes the answer on; what computes would hold up every call of the process.
    public mutating func runOnEventLoop<O: Operation>(_ operation: O.Type) {
        entries[O.name]?.isBrief = true
    }

    /// Answers an operation on the event loop itself, also while all work is stuck. The handler must return at once: values in
    /// memory, no lock that is held during work.
    public mutating func atOnce<O: Operation>(
        _ operation: O.Type,
        _ handler: @Sendable @escaping (O) throws(ServiceError) -> O.Result
    ) {
        precondition(immediates[O.name] == nil && entries[O.name] == nil, "\(O.name) stands twice in the table")
        immediates[O.name] = Immediate(operation) { arguments throws(ServiceError) in
            let result = try handler(arguments.decodeArguments(of: O.self))
            do { return try JSON(encoding: result) } catch { throw .internal("The answer cannot be written.") }
        }
    }

    /// What `health` reads. It is called on the event loop, and must return at once: values in memory, no lock that is
    /// held during work.
    public mutating func health(_ read: @Sendable @escaping () -> ServiceCondition) {
        condition = read
    }

    /// The table as `describe` shows it.
    var description: Description {
        let inherent = Immediate.ofEveryService.map(\.name)
        let ofEveryService = Immediate.ofEveryService.map {
            Description.Entry(name: $0.name, callers: $0.callers.sorted(), streams: false)
        }
        let immediate = immediates.values.filter { !inherent.contains($0.name) }.map {
            Description.Entry(name: $0.name, callers: $0.callers.sorted(), streams: false)
        }
        let own = entries.values.map {
            Description.Entry(name: $0.name, callers: $0.callers.sorted(), streams: $0.streams)
        }
        return Description(
            service: service,
            version: version,
            protocolVersions: [Limits.versions.lowerBound, Limits.versions.upperBound],
            operations: ofEveryService + (own + immediate).sorted { $0.name < $1.name }
        )
    }

    private mutating func add<O: Operation>(
        _ operation: O.Type,
        streams: Bool,
        standing: Bool = false,
        _ run: @Sendable @escaping (JSON, CallContext, ItemSink) async throws -> JSON
    ) {
        precondition(entries[O.name] == nil, "\(O.name) stands twice in the table of \(service)")
        entries[O.name] = Entry(
            name: O.name,
            callers: O.callers,
            streams: streams,
            standing: standing,
            effect: O.effect,
            run: run
        )
    }
}

extension Set<Role> {
    fileprivate func sorted() -> [Role] { sorted { $0.rawValue < $1.rawValue } }
}
