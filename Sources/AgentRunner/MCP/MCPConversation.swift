import Agents
import Synchronization

/// Which request waits for which answer.
final class MCPConversation: MCPTransport {
    /// A request under way. Its answer may be there before anybody waits for it.
    private enum Slot {
        case open
        case waiting(CheckedContinuation<JSONValue, any Error>)
        case answered(JSONValue)
    }

    private struct State {
        var next = 1
        var slots: [Int: Slot] = [:]
        var hasEnded = false
    }

    private let timeout: Duration
    private let send: @Sendable (String) async throws -> Void
    private let state = Mutex(State())

    init(timeout: Duration, send: @escaping @Sendable (String) async throws -> Void) {
        self.timeout = timeout
        self.send = send
    }

    func call(_ method: String, _ parameters: JSONValue?) async throws -> JSONValue {
        let id = state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
        return try await withThrowingTaskGroup(of: JSONValue?.self) { group in
            group.addTask { try await self.exchange(MCPMessage.request(method, parameters, id: id), id: id) }
            group.addTask { [timeout] in
                try await Task.sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            guard let answer = try await group.next() ?? nil else {
                throw MCPError("it did not answer within \(timeout)")
            }
            return answer
        }
    }

    func notify(_ method: String) async throws {
        try await send(MCPMessage.notification(method))
    }

    /// Takes what the server says: an answer, or a request of its own.
    func receive(_ line: String) async throws {
        guard let message = JSONValue(text: line) else { return }
        if message["method"] != nil {
            if let answer = MCPMessage.answer(to: message) { try await send(answer) }
            return
        }
        guard case .integer(let id)? = message["id"] else { return }
        let waiting = state.withLock { state -> CheckedContinuation<JSONValue, any Error>? in
            guard let slot = state.slots[id] else { return nil }
            state.slots[id] = .answered(message)
            if case .waiting(let continuation) = slot { return continuation }
            return nil
        }
        waiting?.resume(returning: message)
    }

    /// The server has gone.
    func end() {
        let waiting = state.withLock { state in
            state.hasEnded = true
            return state.slots.keys.compactMap { take($0, of: &state) }
        }
        for waiting in waiting { waiting.resume(throwing: MCPError("it ended")) }
    }

    private func exchange(_ message: String, id: Int) async throws -> JSONValue {
        state.withLock { $0.slots[id] = .open }
        defer { state.withLock { _ = $0.slots.removeValue(forKey: id) } }
        do {
            try await send(message)
        } catch {
            try Task.checkCancellation()
            throw MCPError("it ended")
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { wait(for: id, $0) }
        } onCancel: {
            let waiting = state.withLock { take(id, of: &$0) }
            waiting?.resume(throwing: CancellationError())
        }
    }

    private func wait(for id: Int, _ continuation: CheckedContinuation<JSONValue, any Error>) {
        let known: Result<JSONValue, any Error>? = state.withLock { state in
            if case .answered(let answer)? = state.slots[id] { return .success(answer) }
            if state.hasEnded { return .failure(MCPError("it ended")) }
            // Cancelled before it waited: the handler has run already and found nobody.
            if Task.isCancelled { return .failure(CancellationError()) }
            state.slots[id] = .waiting(continuation)
            return nil
        }
        if let known { continuation.resume(with: known) }
    }

    /// Who waits for an answer, and waits no longer.
    private func take(_ id: Int, of state: inout State) -> CheckedContinuation<JSONValue, any Error>? {
        guard case .waiting(let continuation)? = state.slots[id] else { return nil }
        state.slots[id] = .open
        return continuation
    }
}
