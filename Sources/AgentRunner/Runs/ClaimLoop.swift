import Contract
import Logging
import RPC
import ServiceLifecycle
import Synchronization
import Wire

/// Offers this runner to storage and takes what is leased to it. The open call is also the sign of life behind the leases
/// of all its runs.
final class ClaimLoop: Service {
    /// Between two looks whether it takes runs again.
    private static let drainPause = Duration.milliseconds(200)

    private let runs: Runs
    private let storage: RPCClient
    private let drain: Drain
    private let logger: Logger
    private let hasStorage = Atomic(true)

    init(runs: Runs, storage: RPCClient, drain: Drain = Drain(), logger: Logger) {
        self.runs = runs
        self.storage = storage
        self.drain = drain
        self.logger = logger
    }

    /// Whether storage took the last offer; true until the first was refused.
    var isOffered: Bool { hasStorage.load(ordering: .relaxed) }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    // What is leased to it by a claim that is open when the drain begins is carried out: what is on its way
                    // when a claim is given up would be lost. Storage ends each claim within two minutes.
                    if self.drain.isOn { try await self.listenWhileDrained() } else { try await self.claim() }
                } catch {
                    self.hasStorage.store(Task.isCancelled, ordering: .relaxed)
                    self.logger.debug("claim ended", metadata: ["error": "\(error)"])
                    try? await Task.sleep(for: .milliseconds(Int.random(in: 100...500)))
                }
            }
        }
        // The first of the services that is told to stop: from now on what is still under way has its time.
        runs.beginDraining()
    }

    /// Takes nothing, and hears what is to be stopped of that which it has.
    private func listenWhileDrained() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.claim(room: 0) }
            group.addTask { while self.drain.isOn { try await Task.sleep(for: Self.drainPause) } }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func claim(room: Int = Runs.maximumClaimed) async throws {
        // An open claim says nothing until there is a run, and a connect succeeds while nobody is there to accept.
        _ = try await storage.perform(Describe(), deadline: .seconds(5))
        hasStorage.store(true, ordering: .relaxed)
        let offer = ClaimRuns(runner: runs.runner, offers: runs.offers, room: room, holding: runs.ids)
        // All that a runner has room for may be on its way at once.
        let stream = storage.stream(offer, deadline: .seconds(600), credit: 256)
        for try await item in stream.items {
            switch item {
            case .lease(let lease): await accept(lease)
            case .stop(let stop): runs.stop(stop.run, upTo: stop.attempt)
            }
        }
    }

    private func accept(_ lease: ClaimRuns.Lease) async {
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
                origin: .claimed(attempt: lease.attempt, next: lease.next)
            )
        } catch {
            let release = ReleaseRun(run: lease.run, runner: runs.runner, attempt: lease.attempt, reason: .drained)
            _ = try? await storage.perform(release, deadline: .seconds(5))
            logger.warning("claimed run refused", metadata: ["run_id": "\(lease.run)", "error": "\(error)"])
        }
    }
}
