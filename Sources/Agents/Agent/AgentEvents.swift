/// The events of one run, as an asynchronous sequence for one reader. See ``Agent/stream(_:images:history:)``.
///
/// Each iterator is a run of its own. The reader's task being cancelled, or the iterator going away, cancels the run.
public struct AgentEvents<Output: Sendable>: AsyncSequence, Sendable {
    /// What happens in the run.
    public typealias Element = AgentEvent<Output>
    /// The sequence throws ``AgentError``.
    public typealias Failure = any Error

    let run: @Sendable (_ emit: @escaping @Sendable (Element) async throws -> Void) async throws -> Void

    /// Starts nothing yet: the run begins with the first call of `next()`.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(run: run)
    }

    /// Reads one run.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let run: @Sendable (_ emit: @escaping @Sendable (Element) async throws -> Void) async throws -> Void
        private var reading: Reading?

        fileprivate init(
            run: @escaping @Sendable (_ emit: @escaping @Sendable (Element) async throws -> Void) async throws -> Void
        ) {
            self.run = run
        }

        /// The next event; `nil` after ``AgentEvent/finished(_:)``. Throws ``AgentError``.
        public mutating func next() async throws -> Element? {
            let reading = self.reading ?? Reading(run)
            self.reading = reading
            return try await reading.next()
        }
    }

    /// The run and its reader. A class for its `deinit`: the reader leaving its loop is nothing but a release.
    private final class Reading: Sendable {
        private let events: AsyncThrowingStream<Element, any Error>
        private let demand: AsyncStream<Void>.Continuation
        private let task: Task<Void, Never>

        init(
            _ run: @escaping @Sendable (_ emit: @escaping @Sendable (Element) async throws -> Void) async throws -> Void
        ) {
            let (events, event) = AsyncThrowingStream<Element, any Error>.makeStream()
            let (demands, demand) = AsyncStream<Void>.makeStream()
            self.events = events
            self.demand = demand
            // A sequence has no scope its run could live in, so the run needs a task of its own.
            self.task = Task {
                do {
                    try await run { element in
                        // One event for each one asked for, so the buffer of `events` never holds more than one.
                        guard await demands.first(where: { true }) != nil else { throw CancellationError() }
                        event.yield(element)
                    }
                    event.finish()
                } catch {
                    event.finish(throwing: error)
                }
            }
        }

        deinit {
            task.cancel()
        }

        func next() async throws -> Element? {
            try await withTaskCancellationHandler {
                demand.yield()
                var iterator = events.makeAsyncIterator()
                let element = try await iterator.next()
                // A cancelled reader gets `nil` from the stream, which would look like the end of the run.
                if element == nil, Task.isCancelled { throw AgentError.cancelled }
                return element
            } onCancel: {
                task.cancel()
            }
        }
    }
}
