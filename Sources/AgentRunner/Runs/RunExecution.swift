import Contract
import Logging
import RPC
import Wire

/// One run, from its acceptance to its last stored event. Telling the reader, storing the question and running the agent
/// begin at the same moment; none waits for another.
struct RunExecution: Sendable {
    /// What the reader is told at once.
    static let status = "Finding a response…"

    /// Where the run came from.
    enum Origin: Sendable {
        /// A reader waits: the run has to be opened.
        case live
        /// Leased by storage, after another runner was lost or for a run accepted for later.
        case claimed(attempt: Int, next: Int)
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
    /// The trace of whoever asked.
    let trace: TraceParent
    let logger: Logger

    /// Carries the run out. Never throws: what goes wrong is the run's last event, or the feed's error when that cannot
    /// be stored.
    func execute() async {
        let timeline = Timeline()
        let log = RunLog(run: run, runner: runner, storage: storage, feed: feed, timeline: timeline, trace: trace)
        do {
            // The first event follows from the run's id alone, its time too, so it is the same however often the run is
            // asked for: the reader sees it while the opening transaction, which stores it, is still on its way.
            if case .live = origin { feed.show(try JSON(encoding: firstEvent)) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await storeAndWrite(log, timeline) }
                group.addTask { try await tellAndAnswer(into: log, timeline) }
                // `waitForAll` would wait for the other one also when one of them has failed.
                for try await _ in group {}
            }
            feed.end()
            logger.info(
                "run finished",
                metadata: ["run_id": "\(run)", "agent": "\(agentName)", "trace_id": "\(trace.traceID)"]
            )
        } catch is RunIsElsewhere {
            feed.end(.failure(ServiceError(.aborted, "The run is carried out elsewhere, or has ended.", retry: .safe)))
        } catch {
            logger.warning("run given up here", metadata: ["run_id": "\(run)", "error": "\(error)"])
            feed.end(.failure(error as? ServiceError ?? .unavailable("The run was interrupted; it goes on later.")))
        }
        log.close()
    }

    private func storeAndWrite(_ log: RunLog, _ timeline: Timeline) async throws {
        switch origin {
        case .claimed(let attempt, let next):
            try log.append(.restarted(attempt: attempt))
            try await write(log, attempt: attempt, next: next)
        case .live:
            let open = OpenRun(
                run: run,
                agent: agentName,
                model: agent.modelName,
                question: question,
                runner: runner,
                event: firstEvent
            )
            let opened = try await timeline.measure("store") {
                try await Patience.repeating(for: .seconds(5)) { try await storage.perform(open, traceparent: trace) }
            }
            guard let attempt = opened.attempt else { throw RunIsElsewhere() }
            try await write(log, attempt: attempt, next: 2)
        }
    }

    /// A run whose events storage does not take is given back, so that it ends or goes on elsewhere at once.
    private func write(_ log: RunLog, attempt: Int, next: Int) async throws {
        do {
            try await log.write(attempt: attempt, next: next)
        } catch {
            // A no to this call too means the lease is gone anyway.
            _ = try? await storage.perform(
                ReleaseRun(run: run, runner: runner, attempt: attempt),
                deadline: .seconds(5),
                traceparent: trace
            )
            throw error
        }
    }

    private func tellAndAnswer(into log: RunLog, _ timeline: Timeline) async throws {
        async let told: Void = timeline.measure("tell") { await tell() }
        let outcome = try await answer(into: log, timeline)
        await told
        try log.append(.finished(outcome))
    }

    /// A reader who cannot be told is still to be answered.
    private func tell() async {
        guard case .live = origin else { return }
        do {
            try await teller.tell(run, Self.status)
        } catch {
            logger.warning("reader not told", metadata: ["run_id": "\(run)", "error": "\(error)"])
        }
    }

    private func answer(into log: RunLog, _ timeline: Timeline) async throws -> Outcome {
        do {
            return try await timeline.measure("agent") {
                try await agent.answer(question, trace: trace) { body in try log.append(body) }
            }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            let failure = RunFailure(error)
            logger.warning(
                "agent failed",
                metadata: ["run_id": "\(run)", "error_code": "\(failure.code)", "error": "\(error)"]
            )
            return Outcome(
                state: .failed,
                error: Outcome.Failure(code: failure.code, message: failure.message),
                model: agent.modelName
            )
        }
    }

    private var firstEvent: RunEvent {
        RunEvent(sequence: 1, at: Timestamp.of(run.time), body: .status(Self.status))
    }
}

/// Says to the reader, outside of the stream of events, that work has begun: a Slack status, for example. The stream's
/// first event itself needs none of it.
protocol Teller: Sendable {
    func tell(_ run: RunID, _ status: String) async throws
}

/// For readers who watch the stream: they are told by its first event.
struct StreamTeller: Teller {
    func tell(_ run: RunID, _ status: String) async throws {}
}

/// An agent of this service under its name.
protocol RunnableAgent: Sendable {
    /// The model it uses, for the record.
    var modelName: String { get }

    /// Answers, saying what happens on the way. Its calls belong to the trace of whoever asked.
    func answer(
        _ question: Question,
        trace: TraceParent,
        emit: @escaping @Sendable (RunEvent.Body) throws -> Void
    ) async throws -> Outcome
}

/// The lease is not ours: the run has ended, or is carried out by another runner.
struct RunIsElsewhere: Error {}
