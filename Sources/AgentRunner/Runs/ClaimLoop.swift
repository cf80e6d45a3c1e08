import Contract
import Logging
import RPC
import ServiceLifecycle
import Synchronization
import Wire

/// Offers this runner to storage and takes what is leased to it. The open call is also the sign of life behind the leases
/// of all its runs.
final class ClaimLoop: Service {
    private let runs: Runs
    private let storage: RPCClient
    private let logger: Logger
    private let hasStorage = Atomic(true)

    init(runs: Runs, storage: RPCClient, logger: Logger) {
        self.runs = runs
        self.storage = storage
        self.logger = logger
    }

    /// Whether storage took the last offer; true until the first was refused.
    var isOffered: Bool { hasStorage.load(ordering: .relaxed) }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    self.hasStorage.store(true, ordering: .relaxed)
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
                // Its lease ends with this runner's sign of life, or by time; another one takes it then.
                logger.warning("claimed run refused", metadata: ["RUN_ID": "\(claimed.run)", "error": "\(error)"])
            }
        }
    }
}
