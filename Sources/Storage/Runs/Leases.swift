import Contract
import FoundationEssentials
import Logging
import Postgres
import RPC
import ServiceLifecycle
import Synchronization
import Wire

/// Who carries out which run. A runner's open connection is the sign of life behind its leases: when it ends they are
/// released at once; leases of a runner whose host is gone, or that never came back after a restart of this process, end
/// by time.
final class Leases: Service {
    /// How long a runner is believed in without a sign of life. Longer than a restart of storage takes.
    static let duration = 15.0
    /// How often the runners that are here are renewed.
    private static let renewal = Duration.seconds(5)
    /// What was leased a moment ago may still be on its way to its runner.
    static let underWay = 20.0

    /// A runner on one of its connections.
    private struct Session: Hashable {
        let runner: String
        let number: Int64
    }

    private struct State {
        var sessions: [ConnectionID: Session] = [:]
        /// Lost, and not given up yet: bounded by the connections there can be while Postgres is away.
        var lost: Set<Session> = []
        /// What each runner carries out, as far as it went through here, and how much it wants at a time.
        var held: [String: (runs: Set<RunID>, room: Int)] = [:]
    }

    private let database: Database
    private let signals: RunSignals
    private let logger: Logger
    private let state = Mutex(State())
    private let losses: AsyncStream<Void>
    private let loss: AsyncStream<Void>.Continuation

    init(database: Database, signals: RunSignals, logger: Logger) {
        self.database = database
        self.signals = signals
        self.logger = logger
        (losses, loss) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: Runners

    /// A runner is there, on this connection; said by a call that came in on it. Errors: `invalid_argument` for a name that
    /// is none.
    ///
    /// The connection may have ended before the call got here. Its calls are cancelled then, and nobody would take the
    /// entry out again; the runner's leases end by time. A call may be cancelled for other reasons too, so what an
    /// earlier call has noted stays.
    func connected(
        _ runner: String,
        on connection: ConnectionID,
        anew: Bool,
        deadline: ContinuousClock.Instant
    ) async throws {
        guard (1...100).contains(runner.utf8.count), runner.utf8.allSatisfy(Self.isOfName) else {
            throw ServiceError.invalidArgument("A runner's name has 1 to 100 letters, digits and \"-\".")
        }
        let (session, isNew) = state.withLock { state in
            if let session = state.sessions[connection], session.runner == runner { return (session, false) }
            let session = Session(runner: runner, number: .random(in: .min ... .max))
            if !Task.isCancelled { state.sessions[connection] = session }
            return (session, true)
        }
        guard isNew || anew else { return }
        _ = try await database.rows(
            """
            insert into runner (id, session, alive_until)
            values (\(runner), \(session.number), now() + \(Self.duration) * interval '1 second')
            on conflict (id) do update set session = excluded.session, alive_until = excluded.alive_until
            """,
            deadline: deadline
        )
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// A connection has ended. A runner that has another one open by now was not lost.
    func disconnected(_ connection: ConnectionID) {
        state.withLock { state in
            guard let session = state.sessions.removeValue(forKey: connection) else { return }
            guard !state.sessions.values.contains(where: { $0.runner == session.runner }) else { return }
            state.held[session.runner] = nil
            state.lost.insert(session)
        }
        loss.yield()
    }

    // MARK: What each holds

    /// A runner says what it holds, and how much it wants at a time.
    func holds(_ runner: String, _ runs: [RunID], room: Int) {
        state.withLock { $0.held[runner] = (Set(runs), room) }
    }

    /// A runner says how much it wants at a time from now on.
    func setRoom(of runner: String, _ room: Int) {
        state.withLock { $0.held[runner]?.room = room }
        signals.signalHere(.runner(runner))
    }

    /// How much more a runner may get.
    func room(of runner: String) -> Int {
        state.withLock { $0.held[runner].map { $0.room - $0.runs.count } ?? 0 }
    }

    /// Runs were leased to a runner.
    func leased(_ runs: [RunID], to runner: String) {
        state.withLock { $0.held[runner]?.runs.formUnion(runs) }
    }

    /// A lease is over; a runner that had no room has some now.
    func over(_ run: RunID, of runner: String) {
        let wasHeld = state.withLock { $0.held[runner]?.runs.remove(run) != nil }
        if wasHeld { signals.signalHere(.runner(runner)) }
    }

    // MARK: Housekeeping

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    for await _ in self.losses { await self.giveUpLost() }
                }
                group.addTask {
                    // After a start, runners are given the time of a lease to come back before it counts as over; and after
                    // Postgres was away, in which nobody could renew, those of other hosts are.
                    var start = ContinuousClock.now
                    while !Task.isCancelled {
                        if await !self.renew() { start = .now }
                        if ContinuousClock.now - start > .seconds(Self.duration) { await self.giveUp(nil) }
                        await self.giveUpLost()
                        // Whoever waits looks again by itself, if what it waits for was told to nobody here.
                        self.signals.signalAll()
                        try? await Task.sleep(for: Self.renewal)
                    }
                }
            }
        }
    }

    private func giveUpLost() async {
        for session in state.withLock({ $0.lost }) where await giveUp(session) {
            state.withLock { _ = $0.lost.remove(session) }
        }
    }

    /// Gives up a runner whose connection has ended, or all whose time is over. False when it was not possible now.
    @discardableResult
    private func giveUp(_ session: Session?) async -> Bool {
        await housekeeping("giving up") {
            let results = try await database.transaction(
                Transitions.giveUp(session.map { ($0.runner, $0.number) }),
                deadline: .now + .seconds(5)
            )
            let runs = results.dropFirst().first ?? results[0]
            guard !runs.isEmpty else { return }
            let metadata: Logger.Metadata = ["runner": "\(session?.runner ?? "unheard of")", "runs": "\(runs.count)"]
            logger.notice("leases released", metadata: metadata)
            for row in runs {
                guard let run = RunID(try row[0, as: UUID.self].uuidString) else { continue }
                signals.signal(.run(run))
            }
            signals.signal(.queue)
            signals.runsEnded(try runs.map { try $0[0, as: UUID.self] })
        }
    }

    /// Also where there is nobody to renew: it tells whether the others can.
    private func renew() async -> Bool {
        let runners = state.withLock { Array(Set($0.sessions.values.map(\.runner))) }
        return await housekeeping("renewal") {
            _ = try await database.rows(
                """
                update runner set alive_until = now() + \(Self.duration) * interval '1 second'
                where id = any(\(runners)::text[])
                """,
                deadline: .now + .seconds(5)
            )
        }
    }

    /// Housekeeping that fails is tried again at the next turn.
    private func housekeeping(_ what: String, _ body: () async throws -> Void) async -> Bool {
        do {
            try await body()
            return true
        } catch {
            logger.debug("housekeeping failed", metadata: ["what": "\(what)", "error": "\(error)"])
            return false
        }
    }
}
