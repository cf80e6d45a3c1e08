internal import Contract
internal import FoundationEssentials
internal import Synchronization
internal import Wire

/// What a server knows of its connections and calls, for administrators: kept as they come and go, read at any time.
///
/// A call costs it two turns of a lock that nobody holds for long, some hundred nanoseconds.
final class Ledger: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// A call in flight.
    struct Call {
        var operation: String
        var started: Instant
        /// When its caller stops waiting; nil for a stream.
        var deadline: Instant?
        var trace: TraceParent
        /// Held anyway by the call's own work.
        var arguments: JSON
        var within: CallID?
    }

    private struct Connection {
        var role: Role
        var peer: PeerCredentials?
        var since: Date
        var traffic: Traffic
        var calls: [CallID: Call] = [:]
    }

    private struct Tally {
        var succeeded = 0
        var failed: [String: Int] = [:]
        var microseconds = 0
        var buckets: [Int] = []

        mutating func count(_ code: String?) {
            if let code { failed[code, default: 0] += 1 } else { succeeded += 1 }
        }

        mutating func measure(_ microseconds: Int) {
            if buckets.isEmpty { buckets = Array(repeating: 0, count: Stats.bounds.count + 1) }
            self.microseconds += microseconds
            buckets[Stats.bounds.firstIndex { microseconds <= $0 } ?? Stats.bounds.count] += 1
        }
    }

    private struct State {
        var connections: [ConnectionID: Connection] = [:]
        var tallies: [String: Tally] = [:]
    }

    private let state = Mutex(State())

    // MARK: What happens

    func connected(_ id: ConnectionID, role: Role, peer: PeerCredentials?, traffic: Traffic) {
        let connection = Connection(role: role, peer: peer, since: Date(), traffic: traffic)
        state.withLock { $0.connections[id] = connection }
    }

    func disconnected(_ id: ConnectionID) {
        state.withLock { $0.connections[id] = nil }
    }

    func started(_ call: Call, _ id: CallID, on connection: ConnectionID) {
        state.withLock { $0.connections[connection]?.calls[id] = call }
    }

    /// - Parameter isMeasured: false for streams that wait for things to come, whose length says nothing.
    func ended(
        _ operation: String,
        _ id: CallID,
        on connection: ConnectionID,
        started: Instant,
        _ code: ErrorCode?,
        isMeasured: Bool
    ) {
        let microseconds = Int(started.duration(to: .now) / .microseconds(1))
        state.withLock { state in
            state.connections[connection]?.calls[id] = nil
            state.tallies[operation, default: Tally()].count(code?.rawValue)
            if isMeasured { state.tallies[operation]?.measure(microseconds) }
        }
    }

    /// Work that came in on another way than a connection of ours.
    func ended(_ operation: String, started: Instant, _ code: String?) {
        let microseconds = Int(started.duration(to: .now) / .microseconds(1))
        state.withLock { state in
            state.tallies[operation, default: Tally()].count(code)
            state.tallies[operation]?.measure(microseconds)
        }
    }

    /// A call that was answered without any work of the operation's.
    func answered(_ operation: String, _ code: ErrorCode?) {
        state.withLock { $0.tallies[operation, default: Tally()].count(code?.rawValue) }
    }

    // MARK: What is asked

    var operations: [Stats.Operation] {
        state.withLock(\.tallies).sorted { $0.key < $1.key }.map { name, tally in
            Stats.Operation(
                name: name,
                succeeded: tally.succeeded,
                failed: tally.failed,
                microseconds: tally.microseconds,
                buckets: tally.buckets
            )
        }
    }

    var connectionsByRole: [String: Int] {
        state.withLock(\.connections).values.reduce(into: [:]) { $0[$1.role.rawValue, default: 0] += 1 }
    }

    var connections: [ListConnections.Connection] {
        let all = state.withLock(\.connections).sorted { $0.key < $1.key }
        return all.map { id, connection in
            ListConnections.Connection(
                connection: "\(id)",
                role: connection.role,
                pid: Int(connection.peer?.pid ?? 0),
                uid: Int(connection.peer?.uid ?? 0),
                gid: Int(connection.peer?.gid ?? 0),
                since: connection.since.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)),
                calls: connection.calls.count,
                octetsIn: connection.traffic.octetsIn,
                octetsOut: connection.traffic.octetsOut
            )
        }
    }

    var calls: [ListCalls.Call] {
        let now = Instant.now
        let all = state.withLock(\.connections).flatMap { id, connection in
            connection.calls.map { (connection: id, role: connection.role, id: $0.key, call: $0.value) }
        }
        return all.sorted { $0.call.started < $1.call.started }.map { entry in
            ListCalls.Call(
                connection: "\(entry.connection)",
                id: entry.id,
                role: entry.role,
                operation: entry.call.operation,
                ageMilliseconds: Int(entry.call.started.duration(to: now) / .milliseconds(1)),
                deadlineMilliseconds: entry.call.deadline.map { max(0, Int(now.duration(to: $0) / .milliseconds(1))) },
                traceID: entry.call.trace.traceID,
                run: entry.call.arguments.run,
                within: entry.call.within
            )
        }
    }
}

/// What has gone over a connection. Counted on its event loop, read by anybody.
final class Traffic: Sendable {
    private let octetsRead = Atomic(0)
    private let octetsWritten = Atomic(0)

    var octetsIn: Int { octetsRead.load(ordering: .relaxed) }
    var octetsOut: Int { octetsWritten.load(ordering: .relaxed) }

    func read(_ octets: Int) { octetsRead.add(octets, ordering: .relaxed) }
    func wrote(_ octets: Int) { octetsWritten.add(octets, ordering: .relaxed) }
}

extension JSON {
    /// The run that a call with these arguments is about.
    var run: RunID? { member("run")?.string.flatMap { RunID($0) } }
}
