import Contract
import Postgres
import RPC
import ServiceLifecycle
import Synchronization

/// Counts the messages that could be sent now, for `health`: so whoever can start an agent runner knows that it is wanted.
final class DueMessages: Service {
    /// The longest time without a look, and the time between two while messages wait.
    private static let pause = (quiet: Duration.seconds(5), waiting: Duration.seconds(1))
    /// An agent runner that is there has this much time before a message counts as waiting for one.
    private static let grace = Duration.milliseconds(500)

    private let database: Database
    private let signals: RunSignals
    private let counted = Atomic(0)

    init(database: Database, signals: RunSignals) {
        self.database = database
        self.signals = signals
    }

    var count: Int { counted.load(ordering: .relaxed) }

    func run() async {
        await cancelWhenGracefulShutdown {
            await self.signals.subscribed(to: .outbox) { signal in
                while !Task.isCancelled {
                    await self.look()
                    await signal.wait(for: self.count > 0 ? Self.pause.waiting : Self.pause.quiet)
                    try? await Task.sleep(for: Self.grace)
                }
            }
        }
    }

    /// While the database is away the last number stands.
    private func look() async {
        let rows = try? await database.rows(Self.statement, isReadOnly: true, deadline: .now + .seconds(5))
        if let count = try? rows?.first?[0, as: Int.self] { counted.store(count, ordering: .relaxed) }
    }

    /// Of each destination one at a time.
    private static let statement: Query = """
        select count(*)
        from outbox_destination as destination, lateral (
            select state, next_at from outbox
            where outbox.destination = destination.name and state in ('queued', 'sending', 'unknown')
            order by id limit 1
        ) as message
        where message.state <> 'sending' and greatest(message.next_at, destination.held_until) <= clock_timestamp()
        """
}
