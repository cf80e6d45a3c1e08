import Contract
import Logging
import RPC
import ServiceLifecycle
import Synchronization
import Wire

/// The runs this runner carries out, each in a task of its own, at most `maximum` at once.
final class Runs: Service {
    /// A run waits for its model most of the time and holds some tens of kilobytes; the model's provider is the limit long
    /// before this one.
    static let maximum = 1_024

    private struct State {
        var feeds: [RunID: RunFeed] = [:]
        var isStopping = false
    }

    /// This process, for as long as it lives: what leases are given to.
    let runner: String
    private let agents: [String: any RunnableAgent]
    private let teller: any Teller
    private let storage: RPCClient
    private let logger: Logger
    private let state = Mutex(State())
    private let accepted: AsyncStream<RunExecution>
    private let acceptedWriter: AsyncStream<RunExecution>.Continuation

    init(
        agents: [String: any RunnableAgent],
        teller: any Teller,
        storage: RPCClient,
        runner: String = "\(RunID.new())",
        logger: Logger
    ) {
        self.agents = agents
        self.teller = teller
        self.storage = storage
        self.runner = runner
        self.logger = logger
        // Bounded by `maximum`, which `accept` holds to.
        (accepted, acceptedWriter) = AsyncStream.makeStream()
    }

    /// Runs in flight.
    var count: Int { state.withLock { $0.feeds.count } }

    /// The runs in flight.
    var ids: [RunID] { state.withLock { Array($0.feeds.keys) } }

    /// Takes a run on and gives its feed; a run that is in flight here already gives the feed it has.
    ///
    /// Errors: `invalid_argument` for an unknown agent, `resource_exhausted` at the maximum, `unavailable` while stopping.
    func accept(
        _ run: RunID,
        agent name: String,
        question: Question,
        origin: RunExecution.Origin,
        trace: TraceParent = TraceParent()
    ) throws(ServiceError) -> RunFeed {
        guard let agent = agents[name] else {
            let known = agents.keys.sorted().joined(separator: ", ")
            throw .invalidArgument("There is no agent \"\(name)\". Agents: \(known).")
        }
        let first = if case .claimed(_, let next) = origin { next } else { 1 }
        let (feed, isNew) = try state.withLock { state throws(ServiceError) in
            // A claim of a run that is in flight here says that its lease was lost and given again: the execution that had
            // it is refused at its next write, and this one takes its place.
            if let feed = state.feeds[run], case .live = origin { return (feed, false) }
            guard !state.isStopping else { throw .unavailable("The agent runner is stopping.") }
            guard state.feeds.count < Self.maximum else {
                throw ServiceError(
                    .resourceExhausted,
                    "The agent runner carries out \(Self.maximum) runs already.",
                    retry: .safe,
                    afterMilliseconds: 1_000
                )
            }
            let feed = RunFeed(first: first)
            state.feeds[run] = feed
            return (feed, true)
        }
        if isNew {
            acceptedWriter.yield(
                RunExecution(
                    run: run,
                    agentName: name,
                    question: question,
                    origin: origin,
                    agent: agent,
                    teller: teller,
                    storage: storage,
                    runner: runner,
                    feed: feed,
                    trace: trace,
                    logger: logger
                )
            )
        }
        return feed
    }

    private func remove(_ execution: RunExecution) {
        state.withLock { state in
            if state.feeds[execution.run] === execution.feed { state.feeds[execution.run] = nil }
        }
    }

    func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                for await execution in accepted {
                    group.addTask {
                        await execution.execute()
                        self.remove(execution)
                    }
                }
                // What was accepted is finished: the group waits for it.
            }
        } onGracefulShutdown: {
            self.state.withLock { $0.isStopping = true }
            self.acceptedWriter.finish()
        }
    }
}
