import Contract
import Logging
import Postgres
import ServiceLifecycle
import Synchronization
import Testing
import Wire

@testable import Storage

/// What many ask for at the same time, in few statements.
@Suite struct GatheringTests {
    /// Statements as they were carried out, each held up until it is let go.
    private final class Statements: Sendable {
        let batches = Mutex<[[Int]]>([])
        let came: AsyncStream<Void>
        private let coming: AsyncStream<Void>.Continuation
        private let gate: AsyncStream<Void>
        private let opening: AsyncStream<Void>.Continuation

        init() {
            (came, coming) = AsyncStream.makeStream()
            (gate, opening) = AsyncStream.makeStream()
        }

        func letGo() { opening.yield() }

        func carryOut(_ items: [Int]) async throws -> [Result<Int, any Error>] {
            batches.withLock { $0.append(items) }
            coming.yield()
            for await _ in gate { break }
            if items.contains(13) { throw ServiceError.invalidArgument("13 is refused.") }
            return items.map { .success($0 * 2) }
        }
    }

    private func withGathering(
        _ body: @Sendable @escaping (Gathering<Int, Int>, Statements) async throws -> Void
    ) async throws {
        let statements = Statements()
        let gathering = Gathering<Int, Int>(lanes: 1, on: Reactor.shared) { try await statements.carryOut($0) }
        let group = ServiceGroup(services: [gathering], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await body(gathering, statements)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// Runs in the order of their numbers.
    private static let runs = (0..<20).map { number in
        RunID("01985f2c-7d3e-7c41-9a5b-0000000000\(number + 10)") ?? .new()
    }

    /// Asks, and returns once that waits.
    private func ask(_ number: Int, of run: Int? = nil, _ gathering: Gathering<Int, Int>) async -> Task<Int, any Error>
    {
        let before = gathering.waiting
        let task = Task { try await gathering.perform(number, of: Self.runs[run ?? number]) }
        while gathering.waiting == before { await Task.yield() }
        return task
    }

    /// Asks for the first, and returns once it is on its way.
    private func begin(_ gathering: Gathering<Int, Int>, _ statements: Statements) async -> Task<Int, any Error> {
        let task = Task { try await gathering.perform(1, of: Self.runs[1]) }
        for await _ in statements.came { break }
        return task
    }

    @Test func whatComesWhileOneIsOnItsWayGoesOutTogetherInTheOrderOfTheRuns() async throws {
        try await withGathering { gathering, statements in
            let first = await begin(gathering, statements)
            let others = [await ask(7, gathering), await ask(3, gathering), await ask(5, gathering)]
            for _ in 0..<2 { statements.letGo() }
            #expect(try await first.value == 2)
            var answers: [Int] = []
            for other in others { answers.append(try await other.value) }
            #expect(answers == [14, 6, 10])
            #expect(statements.batches.withLock { $0 } == [[1], [3, 5, 7]])
        }
    }

    @Test func twoOfTheSameRunAreNeverInOneStatement() async throws {
        try await withGathering { gathering, statements in
            let first = await begin(gathering, statements)
            let others = [await ask(3, of: 4, gathering), await ask(2, of: 4, gathering), await ask(6, gathering)]
            for _ in 0..<3 { statements.letGo() }
            for task in [first] + others { _ = try await task.value }
            #expect(statements.batches.withLock { $0 } == [[1], [3, 6], [2]])
        }
    }

    @Test func whatOneIsRefusedForIsNotTheOthersHarm() async throws {
        try await withGathering { gathering, statements in
            let first = await begin(gathering, statements)
            let (good, bad) = (await ask(2, gathering), await ask(13, gathering))
            for _ in 0..<4 { statements.letGo() }
            _ = try await first.value
            #expect(try await good.value == 4)
            await #expect { try await bad.value } throws: { ($0 as? ServiceError)?.code == .invalidArgument }
            #expect(statements.batches.withLock { $0 } == [[1], [2, 13], [2], [13]])
        }
    }

    @Test func whoIsCancelledWhileWaitingIsNotCarriedOut() async throws {
        try await withGathering { gathering, statements in
            let first = await begin(gathering, statements)
            let (given, kept) = (await ask(2, gathering), await ask(3, gathering))
            given.cancel()
            await #expect { try await given.value } throws: { ($0 as? ServiceError)?.code == .cancelled }
            for _ in 0..<2 { statements.letGo() }
            for task in [first, kept] { _ = try await task.value }
            #expect(statements.batches.withLock { $0 } == [[1], [3]])
        }
    }
}
