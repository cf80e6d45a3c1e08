import Agents
import Contract
import Logging
import NIOCore
import RPC
import ServiceLifecycle
import Synchronization
import Traces
import Wire

/// The runs this runner carries out, each in a task of its own, at most `maximum` at once.
final class Runs: Service {
    /// A run waits for its model most of the time and holds up to a hundred KB, as the benchmark of agents sees it: all together
    /// stay below half of the memory that the unit grants. The model's provider is the limit long before.
    static let maximum = 4_096

    /// How many runs it asks the queue for at most.
    private static let maximumClaimed = 256
    /// And where a provider takes few calls at once: so many for each of them. Further ones would wait for their turn here, and lose by it
    /// of the time that they may take; the queue costs them nothing.
    private static let claimedForACall = 4

    private struct State {
        var executions: [RunID: RunExecution] = [:]
        var accepted = 0
        var isStopping = false
    }

    /// This process, for as long as it lives: what leases are given to.
    let runner: String
    let agents: AgentDirectory
    private let teller: any Teller
    private let storage: RPCClient
    private let recorder: SpanRecorder?
    private let outlook = Outlook()
    private let logger: Logger
    private let state = Mutex(State())
    private let executions: AsyncStream<RunExecution>
    private let executionsWriter: AsyncStream<RunExecution>.Continuation
    private let draining: AsyncStream<Void>
    private let drainingWriter: AsyncStream<Void>.Continuation
    private let drain: Duration
    private let maximum: Int

    /// - Parameters:
    ///   - drain: How long runs that are under way when the process is told to stop have for their end. Then they are given
    ///     back, and go on elsewhere.
    ///   - maximum: How many it carries out at once.
    init(
        agents: AgentDirectory,
        teller: any Teller,
        storage: RPCClient,
        runner: String = "\(RunID.new())",
        drain: Duration = .seconds(20),
        maximum: Int = Runs.maximum,
        recorder: SpanRecorder? = nil,
        logger: Logger
    ) {
        self.agents = agents
        self.teller = teller
        self.storage = storage
        self.runner = runner
        self.drain = drain
        self.maximum = maximum
        self.recorder = recorder
        self.logger = logger
        // Bounded by `maximum`, which `accept` holds to.
        (executions, executionsWriter) = AsyncStream.makeStream()
        (draining, drainingWriter) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
    }

    /// How many runs it asks the queue for: the rest of the room is for those whose readers wait.
    var room: Int {
        let byCalls = agents.providers?.fewestCalls.map { $0 * Self.claimedForACall }
        return min(Self.maximumClaimed, max(1, maximum / 2), byCalls ?? .max)
    }

    /// Runs in flight.
    var count: Int { state.withLock { $0.executions.count } }

    /// Runs there ever were: those that began and ended between two looks were work too.
    var accepted: Int { state.withLock { $0.accepted } }

    /// The runs in flight.
    var ids: [RunID] { state.withLock { Array($0.executions.keys) } }

    /// What this runner can do.
    var offers: [ClaimRuns.Offer] {
        agents.all.map { ClaimRuns.Offer(agent: $0, provider: $1.providerName) }.sorted { $0.agent < $1.agent }
    }

    /// What they do about texts that come too early, as their files say it.
    var conducts: [FileConducts.Conduct] {
        agents.all.map { FileConducts.Conduct(agent: $0, doubleText: $1.conduct) }.sorted { $0.agent < $1.agent }
    }

    /// Stops the work on a run whose lease is gone.
    func stop(_ run: RunID, upTo attempt: Int) {
        let execution = state.withLock { $0.executions[run] }
        guard let execution, execution.origin.attempt <= attempt else { return }
        logger.info("run stopped", metadata: ["run_id": "\(run)", "attempt": "\(attempt)"])
        execution.stopping.stop(.lost)
    }

    /// The process is being stopped: what is under way has its time from now on.
    func beginDraining() {
        drainingWriter.yield()
    }

    /// Takes a run on and gives its feed; a run that is in flight here already gives the feed it has.
    ///
    /// - Parameters:
    ///   - trace: what it belongs to here.
    ///   - asker: what it belongs to when it has to go on elsewhere.
    /// Errors: `invalid_argument` for an unknown agent, `already_exists` when the run in flight answers another question or is another
    /// agent's, `resource_exhausted` at the maximum, `unavailable` while stopping.
    func accept(
        _ run: RunID,
        agent name: String,
        question: Question,
        origin: RunExecution.Origin,
        trace: TraceParent? = nil,
        asker: TraceParent? = nil
    ) throws(ServiceError) -> RunFeed {
        guard let agent = agents[name] else {
            let known = agents.all.keys.sorted().joined(separator: ", ")
            throw .invalidArgument("There is no agent \"\(name)\". Agents: \(known).")
        }
        let execution = RunExecution(
            run: run,
            agentName: name,
            question: question,
            origin: origin,
            agent: agent,
            teller: teller,
            storage: storage,
            runner: runner,
            feed: RunFeed(first: origin.next),
            stopping: Stopping(),
            outlook: outlook,
            trace: trace,
            asker: asker,
            recorder: recorder,
            logger: logger
        )
        let (feed, replaced) = try state.withLock { state throws(ServiceError) in
            let earlier = state.executions[run]
            if let earlier, case .live = origin {
                guard earlier.agentName == name, earlier.question == question else {
                    throw ServiceError(.alreadyExists, "The run belongs to another question.", retry: .no)
                }
                return (earlier.feed, nil as RunExecution?)
            }
            guard !state.isStopping else { throw .unavailable("The agent runner is stopping.") }
            guard state.executions.count < maximum else {
                throw ServiceError(
                    .resourceExhausted,
                    "The agent runner carries out \(maximum) runs already.",
                    retry: .safe,
                    afterMilliseconds: 1_000
                )
            }
            state.executions[run] = execution
            state.accepted += 1
            executionsWriter.yield(execution)
            return (execution.feed, earlier)
        }
        // A claim of a run that is in flight here says that its lease was lost and given again: what had it would be refused
        // at its next write, and this one takes its place.
        replaced?.stopping.stop(.lost)
        return feed
    }

    private func remove(_ execution: RunExecution) {
        state.withLock { state in
            if state.executions[execution.run]?.feed === execution.feed { state.executions[execution.run] = nil }
        }
    }

    func run() async throws {
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.carryOut() }
                group.addTask { await self.giveBackWhatDrags() }
                await group.next()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            self.state.withLock { $0.isStopping = true }
            self.executionsWriter.finish()
        }
    }

    /// Returns when no more are accepted, and those that were are over.
    private func carryOut() async {
        // Where calls of storage and of models come in, so that nothing changes threads in between.
        let loop = EventLoopExecutor(RPCEventLoop.shared.next())
        await withTaskExecutorPreference(loop) {
            await withDiscardingTaskGroup { group in
                for await execution in executions {
                    // What thinks long by itself does so where it is in nobody's way. Each is named: a preference of nil takes a
                    // child task away from the executor of its parent (Swift 6.3).
                    let executor: any TaskExecutor = execution.agent.mostlyWaits ? loop : globalConcurrentExecutor
                    group.addTask(executorPreference: executor) {
                        await execution.execute()
                        self.remove(execution)
                    }
                }
            }
        }
    }

    private func giveBackWhatDrags() async {
        guard await draining.first(where: { true }) != nil, (try? await Task.sleep(for: drain)) != nil else {
            // Not before the others are done: the first of the two ends both.
            try? await Task.sleep(for: .seconds(1_000_000))
            return
        }
        while !Task.isCancelled {
            for execution in state.withLock({ Array($0.executions.values) }) { execution.stopping.stop(.drained) }
            // Further ones may be accepted until the sockets are closed.
            try? await Task.sleep(for: .milliseconds(100))
        }
    }
}
