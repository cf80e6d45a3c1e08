import Contract
import Logging
import RPC
import ServiceLifecycle
import Synchronization
import Testing
import Wire

@testable import AgentRunner

extension RunsTests {
    /// What a storage service was asked, and how it is to behave.
    final class StoredRuns: Sendable {
        struct State {
            var opened: [RunID] = []
            var events: [RunEvent] = []
            var begun: [OpenRun.Step] = []
            var asked: [BeginStep] = []
            var ended: [EndedStep] = []
            /// Steps that were ended by themselves.
            var told: [EndStep] = []
            var released: [ReleaseRun] = []
            var held: [HoldProvider] = []
            /// By their steps.
            var answers: [String: JSON] = [:]
            var failures = 0
            var lease: Int? = 1
            /// Each step has to ask, as where there are budgets.
            var hasBudgets = false
            /// No run is opened until this is over.
            var isHeld = false
            /// What every step is refused with.
            var refusal: ServiceError?
        }

        let state = Mutex(State())
        let delay: Duration

        init(delay: Duration = .zero) {
            self.delay = delay
        }

        var operations: Operations {
            var operations = Operations(service: "storage", version: "test")
            operations.on(OpenRun.self) { open, _ in
                try await Task.sleep(for: self.delay)
                while self.state.withLock({ $0.isHeld }) { try await Task.sleep(for: .milliseconds(2)) }
                return self.state.withLock { state in
                    state.opened.append(open.run)
                    state.events.append(open.event)
                    if let step = open.step { state.begun.append(step) }
                    return OpenRun.Result(attempt: state.lease, begun: open.step != nil && !state.hasBudgets)
                }
            }
            operations.on(BeginStep.self) { begin, _ in
                try self.state.withLock { state in
                    if let refusal = state.refusal { throw refusal }
                    state.asked.append(begin)
                    let answer = state.answers[begin.step]
                    return BeginStep.Result(state: answer == nil ? .begun : .answered, answer: answer)
                }
            }
            operations.on(EndStep.self) { end, _ in
                self.state.withLock { state in
                    state.answers[end.step] = end.answer
                    state.told.append(end)
                }
                return Done()
            }
            operations.on(HoldProvider.self) { hold, _ in
                self.state.withLock { $0.held.append(hold) }
                return Done()
            }
            operations.on(ReleaseRun.self) { release, _ in
                self.state.withLock { $0.released.append(release) }
                return Done()
            }
            operations.on(AppendEvents.self) { append, _ in
                try self.state.withLock { state in
                    if state.failures > 0 {
                        state.failures -= 1
                        throw ServiceError.unavailable("Away.")
                    }
                    guard append.attempt == state.lease else {
                        throw ServiceError.failedPrecondition("The lease is lost.")
                    }
                    state.events += append.events
                    state.ended += append.ended ?? []
                    return Done()
                }
            }
            return operations
        }
    }

    func withRuns(
        stored: StoredRuns,
        agents: AgentDirectory,
        teller: any Teller = SlowTeller(),
        maximum: Int = Runs.maximum,
        _ body: (Runs) async throws -> Void
    ) async throws {
        let path = "/tmp/octavo-runs-\(UInt32.random(in: 0 ... .max)).sock"
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = RPCServer(
            [RPCListener(role: .agentRunner, address: .path(path))],
            operations: stored.operations,
            logger: logger
        )
        let storage = RPCClient(path: path, role: .agentRunner, name: "storage", logger: logger)
        let runs = Runs(agents: agents, teller: teller, storage: storage, maximum: maximum, logger: logger)
        let group = ServiceGroup(services: [server, storage, runs], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let result: Result<Void, any Error>
            do { result = .success(try await body(runs)) } catch { result = .failure(error) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try result.get()
        }
    }

    func events(of feed: RunFeed) async throws -> [RunEvent] {
        var events: [RunEvent] = []
        while let next = try await feed.events(from: events.count) {
            events += try next.map { try $0.decode(RunEvent.self) }
        }
        return events
    }
}
