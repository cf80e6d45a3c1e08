import Agents
import Contract
import Logging
import RPC
import Traces
import Tracing
import Wire

/// One run, from its acceptance to its last stored event. Telling the reader, storing the question and running the agent
/// begin at the same moment; none waits for another, and the answer does not wait for the telling.
///
/// An object, of which the frames of its functions hold no copies for as long as the model thinks.
final class RunExecution: Sendable {
    /// What the reader is told at once.
    static let status = "Finding a response…"

    /// What the reader is told whose model has others to answer first.
    private static func waiting(for calls: Int) -> String {
        "Waiting for the model; \(calls == 1 ? "1 question goes" : "\(calls) questions go") first…"
    }

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
    let span: RecordedSpan?
    let logger: Logger
    /// The attempt, once the lease is there.
    private let lease = Awaited<Int>()
    private let opening: Opening
    private let outlook: Outlook
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
        outlook: Outlook,
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
        self.outlook = outlook
        opening = Opening(goesAhead: agent.beginsWithModel && origin.isNew && outlook.isGood)
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
            try begin(log)
            let outcome = try await tellStoreAndAnswer(log, timeline)
            finish()
            if outcome != .succeeded { await tell("") }
        } catch {
            await leave(error)
            // Whoever asked has no answer to put in its place.
            await tell("")
        }
        log.close()
    }

    // What comes before and after the wait for the agent is not inlined: frames would hold it meanwhile.

    @inline(never)
    private func begin(_ log: RunLog) throws {
        switch origin {
        // The first event follows from the run's id alone, its time too, so it is the same however often the run is
        // asked for: the reader sees it while the opening transaction, which stores it, is still on its way.
        case .live: feed.show(try JSON(encoding: firstEvent))
        // Before the agent begins: one that answers at once would be finished before it began.
        case .claimed(let attempt, let next):
            try log.append(next == 1 ? .status(Self.status) : .restarted(attempt: attempt))
        }
    }

    @inline(never)
    private func finish() {
        end(.success(()))
        logger.info(
            "run finished",
            metadata: ["run_id": "\(run)", "agent": "\(agentName)", "trace_id": "\(trace.traceID)"]
        )
    }

    /// What a part of the run has come to.
    private enum Part: Sendable {
        case told, written, notStopped
        case answered(RunState)
    }

    /// The run is over when its last event is stored, or it is stopped. A status not shown until then is not needed any more.
    private func tellStoreAndAnswer(_ log: RunLog, _ timeline: Timeline) async throws -> RunState {
        try await withThrowingTaskGroup(of: Part.self) { group in
            group.addTask { [self] in
                try await storeAndWrite(log, timeline)
                return .written
            }
            group.addTask { [self] in
                let outcome = try await answer(into: log, timeline)
                try log.append(.finished(outcome))
                return .answered(outcome.state)
            }
            group.addTask { [stopping] in
                try await stopping.watch()
                return .notStopped
            }
            if case .live = origin {
                group.addTask { [self] in
                    await timeline.measure("tell") { await tell(Self.status) }
                    return .told
                }
            }
            var state = RunState.running
            // `waitForAll` would wait for the others also when one of them has failed.
            while let part = await group.nextResult() {
                switch part {
                case .success(.told), .success(.notStopped): break
                case .success(.answered(let outcome)): state = outcome
                case .success(.written): group.cancelAll()
                // Stopped as its end was being stored: then it is over all the same, and nothing of it is given back.
                case .failure(let error): if !log.isStored { throw error }
                }
            }
            return state
        }
    }

    /// Shows a status in Slack to the reader who waits there.
    private func tell(_ status: String) async {
        guard case .live(_, let thread, _, _) = origin else { return }
        await teller.tell(run, in: thread, status)
    }

    private func storeAndWrite(_ log: RunLog, _ timeline: Timeline) async throws {
        switch origin {
        case .claimed(let attempt, let next):
            lease.set(attempt)
            try await log.write(attempt: attempt, next: next, for: .nobody)
        case .live(let policy, _, let isWatched, _):
            let attempt = try await open(policy, timeline)
            lease.set(attempt)
            try await log.write(attempt: attempt, next: 2, for: isWatched ? .watches : .waitsForTheEnd)
        }
    }

    /// The attempt.
    @inline(never)
    private func open(_ policy: RunPolicy, _ timeline: Timeline) async throws -> Int {
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
            try await Patience.repeating(for: .seconds(5)) {
                try await outlook.watching { try await storage.perform(open, traceparent: trace) }
            }
        }
        guard let attempt = opened.attempt else { throw RunIsElsewhere() }
        opening.hasBegun = opened.begun == true
        if step != nil { outlook.isGood = opening.hasBegun }
        return attempt
    }

    private func answer(into log: RunLog, _ timeline: Timeline) async throws -> Outcome {
        let steps = makeSteps()
        defer { opening.offerNothing() }
        // As it is at this moment. It is told once, and what is called later may find others.
        if case let ahead = agent.callsAhead, ahead > 0 { try log.append(.status(Self.waiting(for: ahead))) }
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
            return try await outcome(of: error, steps, timeline)
        }
    }

    @inline(never)
    private func outcome(of error: any Error, _ steps: Steps, _ timeline: Timeline) async throws -> Outcome {
        // Whoever opens the run waits for its first step, and this for the lease.
        opening.offerNothing()
        // What was bought is not to be bought again by whoever goes on.
        try? await steps.tellOfEnded()
        let failure = RunFailure(error)
        if failure.mayPass {
            // Not before it is stored: what is given back has to be there. Whoever waits follows it in storage.
            _ = try await lease.value()
            throw PassingFailure(failure, remaining: await timeLeft(steps, timeline))
        }
        span?.fail(failure.code)
        logger.warning(
            "agent failed",
            metadata: ["run_id": "\(run)", "error_code": "\(failure.code)", "error": "\(error)"]
        )
        return failure.outcome(of: agent.modelName, steps.usage)
    }

    /// Nil without a limit; and where storage cannot say what earlier attempts have taken, the next one asks again.
    private func timeLeft(_ steps: Steps, _ timeline: Timeline) async -> Duration? {
        guard let limit = agent.wallClock else { return nil }
        return try? await steps.timeLeft(of: limit, after: timeline.elapsed)
    }

    private func makeSteps() -> Steps {
        let isClaimed = if case .claimed = origin { true } else { false }
        return Steps(
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
    }

    private var firstEvent: RunEvent {
        RunEvent(sequence: 1, at: Timestamp.of(run.time), body: .status(Self.status))
    }
}
