import Contract
import Logging
import RPC
import ServiceLifecycle
import Synchronization
import Wire

/// Offers this runner to storage and takes what is leased to it. The open call is also the sign of life behind the leases
/// of all its runs.
final class ClaimLoop: Service {
    /// Between two looks whether it is to take runs.
    private static let drainPause = Duration.milliseconds(200)
    /// How long a run that cannot be taken is kept: it may be given again at once.
    private static let refusalPause = Duration.seconds(1)
    /// How long leases that were given before it was stopped may take to arrive.
    private static let lastLeases = Duration.milliseconds(100)

    private let runs: Runs
    private let storage: RPCClient
    private let drain: Drain
    private let logger: Logger
    private let hasStorage = Atomic(true)
    private let isStopping = Atomic(false)

    init(runs: Runs, storage: RPCClient, drain: Drain = Drain(), logger: Logger) {
        self.runs = runs
        self.storage = storage
        self.drain = drain
        self.logger = logger
    }

    /// Whether storage took the last offer; true until the first was refused.
    var isOffered: Bool { hasStorage.load(ordering: .relaxed) }

    func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.claimAgainAndAgain() }
            group.addTask { await self.tellChanges() }
            // A claim that is broken off loses what is on its way to it, which counts as a try. So storage is told first.
            await self.untilStopped()
            group.cancelAll()
        }
        // The first of the services that is told to stop: from now on what is still under way has its time.
        runs.beginDraining()
    }

    private func claimAgainAndAgain() async {
        while !Task.isCancelled {
            do {
                try await claim()
            } catch {
                hasStorage.store(Task.isCancelled, ordering: .relaxed)
                logger.debug("claim ended", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .milliseconds(Int.random(in: 100...500)))
            }
        }
    }

    /// Tells storage of what changes while a claim is open. While it is drained it takes nothing, and hears what is to be stopped of that
    /// which it has.
    private func tellChanges() async {
        var told = room
        var toldConducts: [FileConducts.Conduct] = []
        while !Task.isCancelled {
            if room != told, await tell(room) { told = room }
            let conducts = runs.conducts
            if conducts != toldConducts, await tell(conducts) { toldConducts = conducts }
            try? await Task.sleep(for: Self.drainPause)
        }
    }

    private func untilStopped() async {
        try? await gracefulShutdown()
        isStopping.store(true, ordering: .relaxed)
        if await tell(0) { try? await Task.sleep(for: Self.lastLeases) }
    }

    /// What it wants to have at a time; a claim that is open takes no more at once.
    private var room: Int { drain.isOn || isStopping.load(ordering: .relaxed) ? 0 : runs.room }

    private func tell(_ room: Int) async -> Bool {
        let told = try? await storage.perform(SetRoom(runner: runs.runner, room: room), deadline: .seconds(1))
        return told != nil
    }

    private func tell(_ conducts: [FileConducts.Conduct]) async -> Bool {
        let told = try? await storage.perform(FileConducts(conducts), deadline: .seconds(1))
        return told != nil
    }

    private func claim() async throws {
        // An open claim says nothing until there is a run, and a connect succeeds while nobody is there to accept.
        _ = try await storage.perform(Describe(), deadline: .seconds(5))
        hasStorage.store(true, ordering: .relaxed)
        let offers = runs.offers
        let offer = ClaimRuns(runner: runs.runner, offers: offers, room: room, holding: runs.ids)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.takeLeases(of: offer) }
            group.addTask {
                // Agents that a reload brings are offered at once, and those that it took away no longer.
                while self.runs.offers == offers { try await Task.sleep(for: Self.drainPause) }
                if await self.tell(0) { try await Task.sleep(for: Self.lastLeases) }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    private func takeLeases(of offer: ClaimRuns) async throws {
        try await withThrowingDiscardingTaskGroup { refusals in
            // All that a runner has room for may be on its way at once.
            for try await item in storage.stream(offer, deadline: .seconds(600), credit: 256).items {
                switch item {
                case .lease(let lease) where !accept(lease): refusals.addTask { await self.giveBack(lease) }
                case .lease: break
                case .stop(let stop): runs.stop(stop.run, upTo: stop.attempt)
                }
            }
        }
    }

    private func accept(_ lease: ClaimRuns.Lease) -> Bool {
        // The first attempt is nothing to tell of.
        logger.log(
            level: lease.attempt > 1 ? .info : .debug,
            "run claimed",
            metadata: ["run_id": "\(lease.run)", "attempt": "\(lease.attempt)"]
        )
        do {
            _ = try runs.accept(
                lease.run,
                agent: lease.agent,
                question: lease.question,
                origin: .claimed(attempt: lease.attempt, next: lease.next),
                trace: lease.traceparent.flatMap { TraceParent($0) }
            )
            return true
        } catch {
            logger.warning("claimed run refused", metadata: ["run_id": "\(lease.run)", "error": "\(error)"])
            return false
        }
    }

    /// There is no room, since many came whose readers wait, or a reload has just taken the agent away.
    private func giveBack(_ lease: ClaimRuns.Lease) async {
        try? await Task.sleep(for: Self.refusalPause)
        let release = ReleaseRun(run: lease.run, runner: runs.runner, attempt: lease.attempt, reason: .drained)
        _ = try? await storage.perform(release, deadline: .seconds(5))
    }
}
