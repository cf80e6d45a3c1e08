import Agents
import Contract
import Logging
import RPC
import Traces
import Tracing
import Wire

/// One run, from its acceptance to its last stored event. Telling the reader, storing the question and running the agent
/// begin at the same moment; none waits for another, and the answer does not wait for the telling.
struct RunExecution: Sendable {
    /// What the reader is told at once.
    static let status = "Finding a response…"

    let run: RunID
    let agentName: String
    let question: Question
    let origin: Origin
    let agent: any RunnableAgent
    let teller: any Teller
    let storage: RPCClient
    let runner: String
    let feed: RunFeed
    let stopping: Stopping
    /// The trace of whoever asked.
    let trace: TraceParent
    /// What another attempt belongs to.
    let asker: TraceParent?
    /// Where spans are kept.
    private let recorder: SpanRecorder?
    /// That of this attempt.
    private let span: RecordedSpan?
    let logger: Logger
    /// The attempt, once the lease is there.
    private let lease = Awaited<Int>()
    private let opening = Opening()
    private let ended = EndedSteps()

    init(
        run: RunID,
        agentName: String,
        question: Question,
        origin: Origin,
        agent: any RunnableAgent,
        teller: any Teller,
        storage: RPCClient,
        runner: String,
        feed: RunFeed,
        stopping: Stopping,
        trace: TraceParent?,
        asker: TraceParent? = nil,
        recorder: SpanRecorder? = nil,
        logger: Logger
    ) {
        self.run = run
        self.agentName = agentName
        self.question = question
        self.origin = origin
        self.agent = agent
        self.teller = teller
        self.storage = storage
        self.runner = runner
        self.feed = feed
        self.stopping = stopping
        self.asker = asker
        self.recorder = recorder
        span = recorder?.attempting(run, origin, agent: agentName, for: trace)
        self.trace = span?.traceParent ?? trace ?? TraceParent()
        self.logger = logger
    }

    /// Carries the run out. Never throws: what goes wrong is the run's last event, or the feed's error when that cannot
    /// be stored.
    func execute() async {
        guard let recorder, let span else { return await carryOut() }
        await withTracer(recorder) { await ServiceContext.withValue(span.context) { await carryOut() } }
    }

    private func carryOut() async {
        let timeline = Timeline()
        let log = RunLog(
            run: run,
            runner: runner,
            storage: storage,
            feed: feed,
            timeline: timeline,
            ended: ended,
            trace: trace
        )
        do {
            // The first event follows from the run's id alone, its time too, so it is the same however often the run is
            // asked for: the reader sees it while the opening transaction, which stores it, is still on its way.
            switch origin {
            case .live: feed.show(try JSON(encoding: firstEvent))
            // Before the agent begins: one that answers at once would be finished before it began.
            case .claimed(let attempt, let next):
                try log.append(next == 1 ? .status(Self.status) : .restarted(attempt: attempt))
            }
            let outcome = try await tellStoreAndAnswer(log, timeline)
            end(.success(()))
            if outcome != .succeeded { await tell("") }
            logger.info(
                "run finished",
                metadata: ["run_id": "\(run)", "agent": "\(agentName)", "trace_id": "\(trace.traceID)"]
            )
        } catch {
            await leave(error)
            // Whoever asked has no answer to put in its place.
            await tell("")
        }
        log.close()
    }

    /// What a part of the run has come to.
    private enum Part: Sendable {
        case told, written, notStopped
        case answered(RunState)
    }

    /// The run is over when its last event is stored, or it is stopped. A status not shown until then is not needed any more.
    private func tellStoreAndAnswer(_ log: RunLog, _ timeline: Timeline) async throws -> RunState {
        try await withThrowingTaskGroup(of: Part.self) { group in
            group.addTask {
                try await storeAndWrite(log, timeline)
                return .written
            }
            group.addTask {
                let outcome = try await answer(into: log, timeline)
                try log.append(.finished(outcome))
                return .answered(outcome.state)
            }
            group.addTask {
                try await stopping.watch()
                return .notStopped
            }
            if case .live = origin {
                group.addTask {
                    await timeline.measure("tell") { await tell(Self.status) }
                    return .told
                }
            }
            var state = RunState.running
            // `waitForAll` would wait for the others also when one of them has failed.
            for try await part in group {
                switch part {
                case .told, .notStopped: break
                case .answered(let outcome): state = outcome
                case .written: group.cancelAll()
                }
            }
            return state
        }
    }

    /// Shows a status in Slack to the reader who waits there.
    private func tell(_ status: String) async {
        guard case .live(_, let thread, _) = origin else { return }
        await teller.tell(run, in: thread, status)
    }

    /// The run goes on elsewhere, or is over: whoever follows it here does so in storage from now on.
    private func leave(_ error: any Error) async {
        switch error {
        case is RunIsElsewhere, Stopping.Reason.lost:
            end(.failure(ServiceError(.aborted, "The run is carried out elsewhere, or has ended.", retry: .safe)))
        case Stopping.Reason.drained:
            await release(.drained)
            end(.failure(ServiceError(.aborted, "The agent runner is stopping; the run goes on.", retry: .safe)))
        case is AwaitsApproval:
            logger.info("run waits for approval", metadata: ["run_id": "\(run)"])
            await release(.awaiting)
            end(.failure(ServiceError(.aborted, "The run waits for a person's approval.", retry: .safe)))
        case let failure as PassingFailure:
            logger.info(
                "attempt failed",
                metadata: ["run_id": "\(run)", "attempt": "\(origin.attempt)", "error_code": "\(failure.failure.code)"]
            )
            await release(.failed, failure.failure, after: failure.pause)
            if let pause = failure.pause, failure.holdsProvider {
                let hold = HoldProvider(provider: agent.providerName, milliseconds: pause)
                _ = try? await storage.perform(hold, deadline: .seconds(5), traceparent: trace)
            }
            end(.failure(ServiceError(.aborted, "The run is tried again later.", retry: .safe)))
        default:
            // What storage does not take goes elsewhere at once; a no to this call too means the lease is gone anyway.
            logger.warning("run given up here", metadata: ["run_id": "\(run)", "error": "\(error)"])
            await release(.lost)
            end(.failure(error as? ServiceError ?? .unavailable("The run was interrupted; it goes on later.")))
        }
    }

    /// The span ends first: the caller's lasts until it has seen the end.
    private func end(_ outcome: Result<Void, ServiceError>) {
        if case .failure(let error) = outcome { span?.fail(error.code.rawValue) }
        span?.end()
        feed.end(outcome)
    }

    private func release(
        _ reason: ReleaseRun.Reason,
        _ error: Outcome.Failure? = nil,
        after pause: Int? = nil
    ) async {
        let release = ReleaseRun(
            run: run,
            runner: runner,
            attempt: origin.attempt,
            reason: reason,
            error: error,
            afterMilliseconds: pause
        )
        do {
            _ = try await storage.perform(release, deadline: .seconds(5), traceparent: trace)
        } catch {
            // Then it ends by time, or with this process.
            logger.warning("lease not given back", metadata: ["run_id": "\(run)", "error": "\(error)"])
        }
    }

    private func storeAndWrite(_ log: RunLog, _ timeline: Timeline) async throws {
        switch origin {
        case .claimed(let attempt, let next):
            lease.set(attempt)
            try await log.write(attempt: attempt, next: next, for: .nobody)
        case .live(let policy, _, let isWatched):
            let step = agent.beginsWithModel ? try await opening.step() : nil
            if step == nil { opening.offerNothing() }
            let open = OpenRun(
                run: run,
                agent: agentName,
                model: agent.modelName,
                question: question,
                runner: runner,
                event: firstEvent,
                step: step,
                policy: policy,
                traceparent: asker.map { "\($0)" }
            )
            let opened = try await timeline.measure("store") {
                try await Patience.repeating(for: .seconds(5)) { try await storage.perform(open, traceparent: trace) }
            }
            guard let attempt = opened.attempt else { throw RunIsElsewhere() }
            opening.hasBegun = opened.begun == true
            lease.set(attempt)
            try await log.write(attempt: attempt, next: 2, for: isWatched ? .watches : .waitsForTheEnd)
        }
    }

    private func answer(into log: RunLog, _ timeline: Timeline) async throws -> Outcome {
        let isClaimed = if case .claimed = origin { true } else { false }
        let steps = Steps(
            run: run,
            agent: agentName,
            runner: runner,
            lease: lease,
            opening: isClaimed ? nil : opening,
            ended: ended,
            mayHaveHistory: isClaimed,
            storage: storage,
            trace: trace
        )
        defer { opening.offerNothing() }
        do {
            return try await timeline.measure("agent") {
                try await agent.answerUnlessAwaiting(question, steps: steps, trace: trace) { try log.append($0) }
            }
        } catch let error as AwaitsApproval {
            throw error
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            try Task.checkCancellation()
            // What was bought is not to be bought again by whoever goes on.
            try? await steps.tellOfEnded()
            let failure = RunFailure(error)
            if failure.mayPass {
                // Not before it is stored: what is given back has to be there. Whoever waits follows it in storage.
                _ = try await lease.value()
                throw PassingFailure(failure)
            }
            span?.fail(failure.code)
            logger.warning(
                "agent failed",
                metadata: ["run_id": "\(run)", "error_code": "\(failure.code)", "error": "\(error)"]
            )
            return Outcome(
                state: .failed,
                error: Outcome.Failure(code: failure.code, message: failure.message),
                model: agent.modelName,
                usage: steps.usage
            )
        }
    }

    private var firstEvent: RunEvent {
        RunEvent(sequence: 1, at: Timestamp.of(run.time), body: .status(Self.status))
    }
}

/// The lease is not ours: the run has ended, or is carried out by another runner.
struct RunIsElsewhere: Error {}
