import Contract
import Postgres
import RPC
import ServiceLifecycle
import Synchronization

/// Counts the runs that wait for an agent runner, for `health`: so whoever can start one knows that it is wanted. An agent
/// runner that is there takes them within milliseconds; this is for when there is none.
final class QueuedRuns: Service {
    /// A run that waits because there is no agent runner waits this much longer.
    private static let pause = Duration.seconds(5)

    private let database: Database
    private let counted = Atomic(0)

    init(database: Database) {
        self.database = database
    }

    var count: Int { counted.load(ordering: .relaxed) }

    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.look()
                try? await Task.sleep(for: Self.pause)
            }
        }
    }

    /// While the database is away the last number stands.
    private func look() async {
        let rows = try? await database.rows(
            "select count(*) from run where state = 'queued'",
            isReadOnly: true,
            deadline: .now + .seconds(5)
        )
        if let count = try? rows?.first?[0, as: Int.self] { counted.store(count, ordering: .relaxed) }
    }
}
