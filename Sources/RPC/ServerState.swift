internal import Contract
internal import Logging
internal import NIOCore
internal import Synchronization
internal import Traces
internal import Wire

/// What the connections of a server share. Counters are atomic, since each listener may have a loop of its own.
final class ServerState: Sendable {
    private struct Table {
        var ends: [ConnectionID: @Sendable (Order) -> Void] = [:]
        var violations: [ProtocolViolation.Reason: Int] = [:]
        var lastLogged: [ProtocolViolation.Reason: ContinuousClock.Instant] = [:]
        var isStopping = false
        var drained: CheckedContinuation<Void, Never>?
    }

    /// What the server tells its connections.
    enum Order: Sendable {
        /// It stops.
        case goAway
        /// It has stopped.
        case cut
        /// It takes no new work for a while.
        case rest
    }

    let operations: Operations
    let limits: Limits
    let logger: Logger
    let drain: Drain
    let recorder: SpanRecorder?
    let ledger = Ledger()
    let onDisconnect: (@Sendable (ConnectionID, Role) -> Void)?
    /// `describe`'s answer, which never changes.
    let description: JSON
    private let started = ContinuousClock.now
    private let inFlight = Atomic(0)
    private let begun = Atomic(0)
    private let isIdle = Atomic(false)
    /// Those of them that wait for things to come: no work that anybody waits for.
    private let standing = Atomic(0)
    private let table = Mutex(Table())

    init(
        operations: Operations,
        limits: Limits,
        logger: Logger,
        drain: Drain,
        recorder: SpanRecorder? = nil,
        onDisconnect: (@Sendable (ConnectionID, Role) -> Void)?
    ) {
        self.operations = operations
        self.limits = limits
        self.logger = logger
        self.drain = drain
        self.recorder = recorder
        self.onDisconnect = onDisconnect
        // Names and numbers always encode.
        description = (try? JSON(encoding: operations.description)) ?? .emptyObject
    }

    // MARK: Calls

    var hasRoom: Bool { inFlight.load(ordering: .relaxed) < limits.callsInFlightInProcess }
    func callStarted(isStanding: Bool) {
        begun.add(1, ordering: .relaxed)
        inFlight.add(1, ordering: .relaxed)
        if isStanding { standing.add(1, ordering: .relaxed) }
    }
    func callEnded(isStanding: Bool) {
        inFlight.subtract(1, ordering: .relaxed)
        if isStanding { standing.subtract(1, ordering: .relaxed) }
        resumeIfDrained()
    }

    /// Calls being worked on: two counters, read one after the other while calls come and go.
    var callsInFlight: Int { max(0, inFlight.load(ordering: .relaxed) - standing.load(ordering: .relaxed)) }

    /// Calls that were ever begun; those answered from memory are not counted.
    var callsBegun: Int { begun.load(ordering: .relaxed) }

    /// Why connections end.
    var farewell: String { isIdle.load(ordering: .acquiring) ? Message.Goaway.idle : "The service is stopping." }

    /// It stops for want of work.
    func becomeIdle() { isIdle.store(true, ordering: .releasing) }

    /// Broken rules, by name.
    var violations: [String: Int] {
        let violations = table.withLock(\.violations)
        return Dictionary(uniqueKeysWithValues: violations.map { ($0.key.rawValue, $0.value) })
    }

    /// `health`'s answer as of now.
    func health() -> JSON {
        // Only U+0000 in a reason could fail to encode, and then the rest still tells.
        (try? JSON(encoding: healthNow())) ?? .emptyObject
    }

    /// How the service is as of now.
    func healthNow() -> Health {
        let own = operations.condition()
        let (connections, violations) = table.withLock { ($0.ends.count, $0.violations) }
        let reasons = own.reasons + (drain.isOn ? [Health.drained] : [])
        var gauges = own.gauges
        gauges["violations"] = violations.values.reduce(0, +)
        for (reason, count) in violations { gauges["violations.\(reason.rawValue)"] = count }
        if let spans = recorder?.counts {
            gauges[Health.waitingSpans] = spans.waiting
            gauges[Health.exportedSpans] = spans.exported
            gauges[Health.droppedSpans] = spans.dropped
        }
        return Health(
            service: operations.service,
            ready: reasons.isEmpty,
            reasons: reasons,
            warnings: own.warnings,
            uptimeMilliseconds: Int(started.duration(to: .now) / .milliseconds(1)),
            version: operations.version,
            inFlight: callsInFlight,
            connections: connections,
            gauges: gauges
        )
    }

    // MARK: Connections

    /// Returns whether the server is stopping: a connection accepted just before may get here just after all were told.
    func connected(_ id: ConnectionID, _ order: @Sendable @escaping (Order) -> Void) -> Bool {
        table.withLock { table in
            table.ends[id] = order
            return table.isStopping
        }
    }

    func disconnected(_ id: ConnectionID, role: Role) {
        let isStopping = table.withLock { table in
            table.ends[id] = nil
            return table.isStopping
        }
        ledger.disconnected(id)
        if !isStopping { onDisconnect?(id, role) }
        resumeIfDrained()
    }

    func tellAll(_ order: Order) {
        let ends = table.withLock { table in
            if case .rest = order {} else { table.isStopping = true }
            return Array(table.ends.values)
        }
        for end in ends { end(order) }
    }

    /// Returns when there is neither a connection nor a call left, or `giveUp` was called.
    func drained() async {
        await withCheckedContinuation { continuation in
            table.withLock { $0.drained = continuation }
            resumeIfDrained()
        }
    }

    func giveUp() {
        table.withLock { $0.drained.take() }?.resume()
    }

    private func resumeIfDrained() {
        guard inFlight.load(ordering: .relaxed) == 0 else { return }
        table.withLock { $0.ends.isEmpty ? $0.drained.take() : nil }?.resume()
    }

    // MARK: Violations

    /// Counts it, and logs each kind once a minute at most: a broken peer must not fill the journal.
    func violated(_ violation: ProtocolViolation, _ id: ConnectionID, role: Role, peer: PeerCredentials?) {
        let reason = violation.reason
        let now = ContinuousClock.now
        let isNews = table.withLock { table in
            table.violations[reason, default: 0] += 1
            if let last = table.lastLogged[reason], last.duration(to: now) < .seconds(60) { return false }
            table.lastLogged[reason] = now
            return true
        }
        guard isNews else { return }
        logger.warning(
            "A peer broke the protocol",
            metadata: [
                "reason": "\(reason.rawValue)", "detail": "\(violation.detail)", "connection": "\(id)",
                "role": "\(role.rawValue)", "peer_pid": "\(peer?.pid ?? 0)", "peer_uid": "\(peer?.uid ?? 0)",
            ]
        )
    }
}
