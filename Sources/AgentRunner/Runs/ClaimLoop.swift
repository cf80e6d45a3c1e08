import Contract
import Logging
import RPC
import ServiceLifecycle
import Synchronization
import Wire

/// Offers this runner to storage and takes what is leased to it. The open call is also the sign of life behind the leases
/// of all its runs.
final class ClaimLoop: Service {
    /// Between two looks whether it may claim again.
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
                // What is leased to it by a claim that is open when the drain begins is carried out: to refuse it would cost
                // the run one of its attempts. Storage ends each claim within two minutes.
                if self.drain.isOn {
                    try? await Task.sleep(for: Self.drainPause)
                    continue
                }
                do {
                    try await self.claim()
                } catch {
                    self.hasStorage.store(Task.isCancelled, ordering: .relaxed)
                    self.logger.debug("claim ended", metadata: ["error": "\(error)"])
                    try? await Task.sleep(for: .milliseconds(Int.random(in: 100...500)))
                }
            }
        }
    }

    private func claim() async throws {
        // An open claim says nothing until there is a run, and a connect succeeds while nobody is there to accept.
        _ = try await storage.perform(Describe(), deadline: .seconds(5))
        hasStorage.store(true, ordering: .relaxed)
        let stream = storage.stream(ClaimRuns(runner: runs.runner, holding: runs.ids), deadline: .seconds(600))
        for try await claimed in stream.items {
            logger.info("run claimed", metadata: ["RUN_ID": "\(claimed.run)", "attempt": "\(claimed.attempt)"])
            do {
                _ = try runs.accept(
                    claimed.run,
                    agent: claimed.agent,
                    question: claimed.question,
                    origin: .claimed(attempt: claimed.attempt, next: claimed.next)
                )
            } catch {
                let release = ReleaseRun(run: claimed.run, runner: runs.runner, attempt: claimed.attempt)
                _ = try? await storage.perform(release, deadline: .seconds(5))
                logger.warning("claimed run refused", metadata: ["RUN_ID": "\(claimed.run)", "error": "\(error)"])
            }
        }
    }
}
