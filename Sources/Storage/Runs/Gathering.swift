import Contract
import ServiceLifecycle
import Synchronization
import Wire

/// What many calls ask for at the same time, in one statement. While some are on their way to Postgres, those that come gather
/// and go out as the next, so a statement holds as many as Postgres is slow, and one by itself waits for nobody.
final class Gathering<Item: Sendable, Answer: Sendable>: Service {
    /// How much one statement takes.
    struct Most {
        var items = 64
        /// Of what the items say they weigh: what one statement may make all of them wait.
        var weight = 1 << 20
    }

    private struct Entry {
        var item: Item
        var caller: CheckedContinuation<Result<Answer, any Error>, Never>
    }

    private struct State {
        var waiting: [(number: Int, key: RunID, weight: Int, entry: Entry)] = []
        /// Those of which something is on its way. Two that mean the same run are never in one statement, nor side by side.
        var underWay: Set<RunID> = []
        var idle: [Signal] = []
        var next = 0
        var isOver = false
    }

    private let most = Most()
    private let lanes: Int
    private let executor: (any TaskExecutor)?
    private let perform: @Sendable ([Item]) async throws -> [Result<Answer, any Error>]
    private let state = Mutex(State())

    /// - Parameters:
    ///   - lanes: how many statements are on their way at once; with two, one is made while the other is flushed to the disk.
    ///   - executor: where they are made: where the calls come in, so that no other thread has to wake up in between.
    ///   - perform: carries out several, with an answer for each in their order. They come in the order of their runs.
    init(
        lanes: Int = 2,
        on executor: (any TaskExecutor)? = nil,
        _ perform: @escaping @Sendable ([Item]) async throws -> [Result<Answer, any Error>]
    ) {
        self.lanes = lanes
        self.executor = executor
        self.perform = perform
    }

    /// How many wait to be sent.
    var waiting: Int { state.withLock { $0.waiting.count } }

    /// Has one carried out with others. What has been sent is waited for also by a caller that was cancelled.
    func perform(_ item: Item, of run: RunID, weight: Int = 0) async throws -> Answer {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { caller in
                let entry = Entry(item: item, caller: caller)
                let (lane, refusal) = state.withLock { state -> (Signal?, ServiceError?) in
                    if state.isOver { return (nil, .unavailable("Storage is stopping.")) }
                    // Cancelled before it was there: the handler has run already and found nothing.
                    if Task.isCancelled { return (nil, .cancelled()) }
                    state.waiting.append((number, run, weight, entry))
                    return (state.idle.popLast(), nil)
                }
                lane?.set()
                if let refusal { caller.resume(returning: .failure(refusal)) }
            }
        } onCancel: {
            let entry = state.withLock { state in
                state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0).entry }
            }
            entry?.caller.resume(returning: .failure(ServiceError.cancelled()))
        }
        return try result.get()
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for _ in 0..<self.lanes {
                    group.addTask(executorPreference: self.executor) { await self.serve(Signal()) }
                }
            }
        }
        let left = state.withLock { state in
            state.isOver = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for (_, _, _, entry) in left {
            entry.caller.resume(returning: .failure(ServiceError.unavailable("Storage is stopping.")))
        }
    }

    private func serve(_ lane: Signal) async {
        while !Task.isCancelled {
            let batch = take(lane)
            if batch.isEmpty { await lane.wait() } else { await carryOut(batch) }
        }
    }

    private func carryOut(_ batch: [(key: RunID, entry: Entry)]) async {
        var results = await attempt(batch.map(\.entry.item))
        // What one of them is refused for must not be the others' harm.
        if batch.count > 1, case .failure(let error) = results[0], Self.mayBeOnes(error) {
            results = []
            for (_, entry) in batch { results += await attempt([entry.item]) }
        }
        state.withLock { state in
            for (key, _) in batch { state.underWay.remove(key) }
        }
        for ((_, entry), result) in zip(batch, results) { entry.caller.resume(returning: result) }
    }

    private func attempt(_ items: [Item]) async -> [Result<Answer, any Error>] {
        do {
            let results = try await perform(items)
            guard results.count == items.count else {
                throw ServiceError.internal("Something was left without an answer.")
            }
            return results
        } catch {
            return items.map { _ in .failure(error) }
        }
    }

    /// Whether a failure of all may be that of one.
    private static func mayBeOnes(_ error: any Error) -> Bool {
        switch (error as? ServiceError)?.code {
        case .unavailable, .outcomeUnknown, .deadlineExceeded, .resourceExhausted, .cancelled: false
        default: true
        }
    }

    /// The next statement's, in the order of their runs; empty when nothing waits that can go now.
    private func take(_ lane: Signal) -> [(key: RunID, entry: Entry)] {
        state.withLock { state in
            var taken: [(key: RunID, entry: Entry)] = []
            var weight = 0
            state.waiting.removeAll { waiting in
                guard taken.count < most.items, taken.isEmpty || weight + waiting.weight <= most.weight,
                    state.underWay.insert(waiting.key).inserted
                else { return false }
                weight += waiting.weight
                taken.append((waiting.key, waiting.entry))
                return true
            }
            if taken.isEmpty { state.idle.append(lane) }
            return taken.sorted { $0.key < $1.key }
        }
    }
}
