import Contract
import Postgres
import RPC
import ServiceLifecycle
import Synchronization

/// Counts the runs that an agent runner could claim now, for `health`: so whoever can start one knows that it is wanted. An
/// agent runner that is there takes them within milliseconds; this is for when there is none.
final class QueuedRuns: Service {
    /// The longest time without a look, and the time between two while runs wait.
    private static let pause = (quiet: Duration.seconds(5), waiting: Duration.seconds(1))
    /// An agent runner that is there has this much time before a run counts as waiting for one.
    private static let grace = Duration.milliseconds(500)
    /// Counting more would tell nobody more, and takes longer.
    private static let most = 10_000

    private let database: Database
    private let signals: RunSignals
    private let queue: RunQueue
    private let counted = Atomic(0)

    init(database: Database, signals: RunSignals, queue: RunQueue) {
        self.database = database
        self.signals = signals
        self.queue = queue
    }

    var count: Int { counted.load(ordering: .relaxed) }

    func run() async {
        await cancelWhenGracefulShutdown {
            await self.signals.subscribed(to: .queue) { signal in
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
        let rows = try? await database.rowsByIndex(Self.statement(queue.floors), deadline: .now + .seconds(5))
        if let count = try? rows?.first?[0, as: Int.self] { counted.store(count, ordering: .relaxed) }
    }

    /// Runs of an agent whose limit is reached are not among them: a runner that is started for them would find none. A hold
    /// is over within minutes, and only runners know whose provider is meant.
    ///
    /// Once there was a runner, those of the queues it reads are counted, from where they are read.
    private static func statement(_ floors: [RunQueue.Name: Int64]) -> Query {
        // Commands are no business of an agent runner's.
        let queues = floors.filter { $0.key.agent != CommandRun.agent }
        return """
            with full_agent as materialized (
                select agent from agent_limit as limits
                where starts <= (
                        select sum(runs) from agent_start
                        where agent_start.agent = limits.agent and at > clock_timestamp() - per)
                    or concurrent <= (
                        select count(*) from run_work as begun where begun.agent = limits.agent and state = 'running')
            )
            select count(*) from (
                select from run_work
                where \(queues.isEmpty) and state = 'queued' and agent <> \(CommandRun.agent)
                    and agent not in (select agent from full_agent)
                union all
                select from unnest(\(queues.map(\.key.agent)), \(queues.map(\.key.priority)), \(queues.map(\.value)))
                        as queue (agent, priority, floor),
                    lateral (
                        select from run_work
                        where state = 'queued' and run_work.agent = queue.agent and run_work.priority = queue.priority
                            and ticket > floor
                        limit \(most)
                    ) as queued
                where agent not in (select agent from full_agent)
                limit \(most)
            ) as queued
            """
    }
}
