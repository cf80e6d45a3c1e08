import Contract
import FoundationEssentials
import RPC
import Synchronization
import Wire

/// Numbers a run's events, stores them in batches and shows them once stored.
///
/// One batch is on its way at a time; what the agent says meanwhile gathers and goes out as the next, neighbouring
/// pieces of text as one event. So batches need no timer: they are as large as storage is slow.
final class RunLog: Sendable {
    /// More in one run means an agent that does not stop: some hundred pages of text.
    static let maximumEvents = 10_000
    /// How long storage may be away before the run is given up here; by then its lease has gone to another runner.
    private static let patience = Duration.seconds(30)

    private struct State {
        var drafts: [Draft] = []
        var total = 0
        var waiter: CheckedContinuation<Void, Never>?
        var isClosed = false
    }

    private struct Draft {
        var at: String
        var body: RunEvent.Body
    }

    let feed: RunFeed
    private let run: RunID
    private let runner: String
    private let storage: RPCClient
    private let state = Mutex(State())

    init(run: RunID, runner: String, storage: RPCClient, feed: RunFeed) {
        self.run = run
        self.runner = runner
        self.storage = storage
        self.feed = feed
    }

    /// Takes an event; it is stored and shown by `write`. Errors: `resource_exhausted` behind `maximumEvents`.
    func append(_ body: RunEvent.Body) throws(ServiceError) {
        let waiter: CheckedContinuation<Void, Never>?
        (waiter, _) = try state.withLock { state throws(ServiceError) in
            guard !state.isClosed else { return (nil, ()) }
            if case .text(let more) = body, let last = state.drafts.indices.last,
                case .text(let text) = state.drafts[last].body
            {
                state.drafts[last].body = .text(text + more)
                return (nil, ())
            }
            guard state.total < Self.maximumEvents || body.isFinished else {
                throw ServiceError(
                    .resourceExhausted,
                    "The run has more than \(Self.maximumEvents) events.",
                    retry: .no
                )
            }
            state.total += 1
            state.drafts.append(Draft(at: Timestamp.now(), body: body))
            defer { state.waiter = nil }
            return (state.waiter, ())
        }
        waiter?.resume()
    }

    /// Stores and shows until the event `finished` is stored. Errors: `failed_precondition` when the lease is lost,
    /// `unavailable` when storage stays away.
    func write(attempt: Int, next: Int) async throws {
        var next = next
        while true {
            let drafts = await takeDrafts()
            try Task.checkCancellation()
            guard !drafts.isEmpty else { continue }
            let events = drafts.enumerated().map { offset, draft in
                RunEvent(sequence: next + offset, at: draft.at, body: draft.body)
            }
            next += events.count
            let append = AppendEvents(run: run, runner: runner, attempt: attempt, events: events)
            try await Retry.whileUnavailable(for: Self.patience) { [storage] in _ = try await storage.perform(append) }
            for event in events { feed.show(try JSON(encoding: event)) }
            if events.last?.body.isFinished == true { return }
        }
    }

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

    private func takeDrafts() async -> [Draft] {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if !state.drafts.isEmpty || state.isClosed || Task.isCancelled { return true }
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
        return state.withLock { state in
            defer { state.drafts.removeAll() }
            return state.drafts
        }
    }
}

extension RunEvent.Body {
    var isFinished: Bool {
        if case .finished = self { true } else { false }
    }
}
