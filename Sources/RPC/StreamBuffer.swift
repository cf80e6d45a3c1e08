internal import NIOCore
internal import Synchronization
internal import Traces
internal import Tracing
internal import Wire

/// Between the event loop, where a stream's items arrive, and the task that reads them. Never holds more than its window:
/// credit is granted as items are taken out.
final class StreamBuffer: Sendable {
    private struct State {
        var items = CircularBuffer<JSON>()
        var reader: CheckedContinuation<Result<JSON?, ServiceError>, Never>?
        var waitingSince: NIODeadline?
        var window: Int
        /// Taken out since credit was last granted.
        var taken = 0
        var outcome: Result<JSON, ServiceError>?
    }

    /// What reading asks of the event loop.
    enum Wish: Sendable {
        case grant(Int)
        case waiting
        case cancel
    }

    private let wish: @Sendable (Wish) -> Void
    private let state: Mutex<State>
    /// The call's, until it is answered or its reader leaves.
    private let span: RecordedSpan?

    /// - Parameter window: the credit the stream starts with, and the most that is held here.
    init(window: Int, span: RecordedSpan? = nil, wish: @Sendable @escaping (Wish) -> Void) {
        state = Mutex(State(window: window))
        self.span = span
        self.wish = wish
    }

    /// The initial credit, once it is known how much the service accepts.
    func open(accepted: Int) -> Int {
        state.withLock { state in
            state.window = min(state.window, accepted)
            return state.window
        }
    }

    /// Since when the reader waits for an item; nil when it does not.
    var waitingSince: NIODeadline? { state.withLock(\.waitingSince) }

    /// Why it has failed, if it has.
    var failure: ServiceError? {
        state.withLock { if case .failure(let error) = $0.outcome { error } else { nil } }
    }

    // MARK: The event loop's side

    func append(_ item: JSON) {
        let reader = state.withLock { state -> CheckedContinuation<Result<JSON?, ServiceError>, Never>? in
            state.waitingSince = nil
            guard let reader = state.reader.take() else {
                state.items.append(item)
                return nil
            }
            return reader
        }
        guard let reader else { return }
        reader.resume(returning: .success(item))
        count()
    }

    func finish(_ outcome: Result<JSON, ServiceError>) {
        let reader = state.withLock { state in
            state.outcome = state.outcome ?? outcome
            state.waitingSince = nil
            return state.reader.take()
        }
        span?.end(outcome)
        reader?.resume(returning: outcome.map { _ in nil })
    }

    // MARK: The reader's side

    /// The next item; nil after the last.
    func next() async throws(ServiceError) -> JSON? {
        let item = await withTaskCancellationHandler {
            await withCheckedContinuation { reader in wait(reader) }
        } onCancel: {
            cancel()
        }
        return try item.get()
    }

    /// What the stream ended with; the items not yet read are passed over.
    func result() async throws(ServiceError) -> JSON {
        while try await next() != nil {}
        // next() gives nil only after the end.
        return try (state.withLock(\.outcome) ?? .success(.emptyObject)).get()
    }

    /// The reader leaves.
    func cancel() {
        let (isNews, reader) = state.withLock { state in
            let isNews = state.outcome == nil
            if isNews {
                state.outcome = .failure(.cancelled())
                state.items.removeAll()
            }
            return (isNews, state.reader.take())
        }
        span?.end()
        reader?.resume(returning: .failure(.cancelled()))
        if isNews { wish(.cancel) }
    }

    private func wait(_ reader: CheckedContinuation<Result<JSON?, ServiceError>, Never>) {
        let answer = state.withLock { state -> Result<JSON?, ServiceError>? in
            if let item = state.items.popFirst() { return .success(item) }
            if let outcome = state.outcome { return outcome.map { _ in nil } }
            precondition(state.reader == nil, "a stream has one reader")
            state.reader = reader
            state.waitingSince = .now()
            return nil
        }
        guard let answer else { return wish(.waiting) }
        reader.resume(returning: answer)
        if case .success(.some) = answer { count() }
    }

    /// Counts an item that was taken out; half a window at a time is given back as credit.
    private func count() {
        let grant = state.withLock { state -> Int in
            state.taken += 1
            guard state.taken * 2 >= state.window else { return 0 }
            defer { state.taken = 0 }
            return state.taken
        }
        if grant > 0 { wish(.grant(grant)) }
    }
}
