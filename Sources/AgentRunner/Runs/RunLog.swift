import Contract
import NIOCore
import RPC
import Synchronization
import Wire

/// Numbers a run's events, stores them in batches and shows them once stored.
///
/// One batch is on its way at a time; what the agent says meanwhile gathers and goes out as the next, neighbouring
/// pieces of text as one event. So batches need no timer: they are as large as storage is slow.
final class RunLog: Sendable {
    /// More events in one run mean an agent that does not stop.
    static let maximumEvents = 10_000
    /// Bytes of all events of a run: some hundred pages of text, held in memory for those who follow.
    static let maximumBytes = 1 << 20
    /// Bytes of one batch: with escapes and the envelope well below a frame.
    private static let batchBytes = 256 << 10
    /// Text is gathered up to this size into one event.
    private static let eventBytes = 32 << 10
    /// How long the first event of a run that nobody watches waits for the next: most go out with what the agent says first, and
    /// an agent that answers at once says all in one batch.
    private static let linger = Duration.milliseconds(20)
    /// How long what is said gathers where whoever asked waits for the end: an answer that is there by then is one batch, and who
    /// follows it elsewhere sees it soon enough.
    private static let gathering = TimeAmount.milliseconds(100)
    /// How long storage may be away before the run is given up here; by then its lease has gone to another runner.
    private static let patience = Duration.seconds(30)

    fileprivate struct State {
        var drafts: [Draft] = []
        var events = 0
        var bytes = 0
        var waiter: CheckedContinuation<Void, Never>?
        /// What gathers has gathered long enough.
        var isRipe = false
        var isClosed = false
        var isStored = false
    }

    fileprivate struct Draft {
        var at: String
        var body: RunEvent.Body

        var bytes: Int { body.bytes }
    }

    /// Who reads the events as they are shown.
    enum Reader: Sendable {
        /// Each at once.
        case watches
        /// The last alone.
        case waitsForTheEnd
        /// Nobody yet.
        case nobody
    }

    let feed: RunFeed
    private let run: RunID
    private let runner: String
    private let storage: RPCClient
    private let timeline: Timeline
    private let ended: EndedSteps
    private let trace: TraceParent
    private let state = Mutex(State())

    init(
        run: RunID,
        runner: String,
        storage: RPCClient,
        feed: RunFeed,
        timeline: Timeline,
        ended: EndedSteps,
        trace: TraceParent
    ) {
        self.run = run
        self.runner = runner
        self.storage = storage
        self.feed = feed
        self.timeline = timeline
        self.ended = ended
        self.trace = trace
    }

    /// Takes an event; it is stored and shown by `write`. Errors: `resource_exhausted` over the limits; the last event is
    /// always taken.
    func append(_ body: RunEvent.Body) throws(ServiceError) {
        let waiter = try state.withLock { state throws(ServiceError) in
            guard !state.isClosed else { return nil as CheckedContinuation<Void, Never>? }
            state.bytes += body.bytes
            guard (state.events < Self.maximumEvents && state.bytes < Self.maximumBytes) || body.isFinished else {
                throw ServiceError(.resourceExhausted, "The run has said more than a run may say.", retry: .no)
            }
            if !state.gather(body, upTo: Self.eventBytes) {
                state.events += 1
                state.drafts.append(Draft(at: Timestamp.now(), body: body))
            }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Stores and shows until the event `finished` is stored. Errors: `failed_precondition` when the lease is lost,
    /// `unavailable` when storage stays away.
    func write(attempt: Int, next: Int, for reader: Reader) async throws {
        var next = next
        if reader == .nobody { await waitForMore() }
        while true {
            if reader == .waitsForTheEnd { await waitForEnd() }
            let drafts = await takeDrafts()
            try Task.checkCancellation()
            guard !drafts.isEmpty else { continue }
            let isOver = try await store(drafts, from: next, attempt)
            if isOver { return }
            next += drafts.count
        }
    }

    /// Stores and shows a batch. True when the run's last event was among it. Not inlined: `write` waits for as long as the run
    /// takes, and would hold what this needs.
    @inline(never)
    private func store(_ drafts: [Draft], from next: Int, _ attempt: Int) async throws -> Bool {
        let events = drafts.enumerated().map { offset, draft in
            RunEvent(sequence: next + offset, at: draft.at, body: completed(draft.body))
        }
        let texts = try events.map(written)
        let isLast = events.last?.body.isFinished == true
        let steps = isLast ? ended.take() : []
        let append = AppendEvents(
            run: run,
            runner: runner,
            attempt: attempt,
            events: events,
            ended: steps.isEmpty ? nil : steps,
            texts: texts
        )
        try await Patience.repeating(for: Self.patience) { [storage, trace] in
            _ = try await storage.perform(append, traceparent: trace)
        }
        // Before whoever follows sees it, and lets go of the run.
        if isLast { state.withLock { $0.isStored = true } }
        for text in texts { feed.show(text) }
        return isLast
    }

    /// Errors: `invalid_argument` for what cannot travel, such as an output that is nested too deeply for an event.
    private func written(_ event: RunEvent) throws(ServiceError) -> JSON {
        do {
            return try JSON(encoding: event)
        } catch {
            throw .invalidArgument("An event of the run cannot be stored: \(error).")
        }
    }

    /// Whether the event `finished` is: then the run is over.
    var isStored: Bool { state.withLock { $0.isStored } }

    /// Nothing more is taken: the run has ended or is lost.
    func close() {
        let waiter = state.withLock { state in
            state.isClosed = true
            state.drafts.removeAll()
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// The last event tells when the parts took place. It is written after the run was opened, so all of them are known.
    private func completed(_ body: RunEvent.Body) -> RunEvent.Body {
        guard case .finished(var outcome) = body else { return body }
        // What the agent tells of its own parts counts from its beginning.
        let begin = timeline.spans.first { $0.name == "agent" }?.startMilliseconds ?? 0
        outcome.timeline = timeline.spans + outcome.timeline.map { $0.within("agent", from: begin) }
        return .finished(outcome)
    }

    /// Returns when there are two events, or soon.
    private func waitForMore() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(for: 2) }
            group.addTask { try? await Task.sleep(for: Self.linger) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Returns when the last event is there, or a while after there was one.
    private func waitForEnd() async {
        // A timer that is due is not called off any more, and may make the next batch ripe.
        defer { state.withLock { $0.isRipe = false } }
        await wait(for: 1)
        // An agent that has said all at once, as most do, needs no timer.
        if gathered.isEnough { return }
        let timer = RPCEventLoop.shared.next().scheduleTask(in: Self.gathering) { [self] in
            let waiter = state.withLock { state in
                state.isRipe = true
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
        defer { timer.cancel() }
        while true {
            let (isEnough, count) = gathered
            if isEnough { return }
            await wait(for: count + 1)
        }
    }

    /// Whether what waits need not gather any longer, and how many events it is.
    private var gathered: (isEnough: Bool, count: Int) {
        let (isOver, count) = state.withLock { state in
            let isOver = state.isRipe || state.isClosed || state.bytes > Self.batchBytes
            return (isOver || state.drafts.last?.body.isFinished == true, state.drafts.count)
        }
        return (isOver || Task.isCancelled, count)
    }

    /// Returns when so many events wait, the log was closed or the task cancelled.
    private func wait(for count: Int) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.drafts.count >= count || state.isRipe || state.isClosed || Task.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
    }

    /// The next batch; empty when the log was closed or the task cancelled.
    private func takeDrafts() async -> [Draft] {
        await wait(for: 1)
        return state.withLock { state in
            var bytes = 0
            let count = state.drafts.prefix { draft in
                defer { bytes += draft.bytes }
                return bytes < Self.batchBytes
            }.count
            defer { state.drafts.removeFirst(count) }
            return Array(state.drafts.prefix(count))
        }
    }
}

extension RunLog.State {
    /// Adds text to the text that waits, if that is not too long yet.
    fileprivate mutating func gather(_ body: RunEvent.Body, upTo limit: Int) -> Bool {
        guard case .text(let more) = body, let last = drafts.indices.last, case .text(let text) = drafts[last].body,
            text.utf8.count + more.utf8.count <= limit
        else { return false }
        drafts[last].body = .text(text + more)
        return true
    }
}

extension RunEvent.Body {
    var isFinished: Bool {
        if case .finished = self { true } else { false }
    }

    /// About what the event takes as JSON.
    fileprivate var bytes: Int {
        switch self {
        case .text(let text), .status(let text): text.utf8.count + 100
        case .search(let query, _): query.utf8.count + 100
        case .citation(let citation): citation.quote.utf8.count + 1_000
        case .restarted: 100
        case .approval, .postponed: 1_000
        case .part(_, let outcome), .finished(let outcome):
            (outcome.answer?.utf8.count ?? 0) + (outcome.output?.bytes.readableBytes ?? 0)
                + outcome.citations.reduce(2_000) { $0 + $1.quote.utf8.count + 1_000 }
        }
    }
}
