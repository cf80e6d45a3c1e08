import Contract
import RPC
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
            var ended: [EndedStep] = []
            var released: [ReleaseRun] = []
            var failures = 0
            var lease: Int? = 1
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
                return self.state.withLock { state in
                    state.opened.append(open.run)
                    state.events.append(open.event)
                    if let step = open.step { state.begun.append(step) }
                    return OpenRun.Result(attempt: state.lease, begun: open.step != nil)
                }
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
}
