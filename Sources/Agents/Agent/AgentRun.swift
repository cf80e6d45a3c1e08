import Logging
import Synchronization

/// One run: does what ``RunState`` says and tells what happens.
///
/// Thousands of runs wait for a model at once, and what the frames of its functions hold they hold for as long. So a run is an
/// object, of which they hold no copies, and what they call before or after the wait is not inlined: its room would be theirs.
final class AgentRun<Output: Sendable>: Sendable {
    let agent: Agent<Output>
    let plan: OutputPlan<Output>
    /// Is told what happens; the run waits for it.
    let onEvent: @Sendable (AgentEvent<Output>) async throws -> Void
    let deadline: ContinuousClock.Instant

    /// One step, and where the run stands after it.
    struct Stepped: Sendable {
        var state: RunState
        var step: AgentStep<Output>
    }

    /// What the reader of the events threw, on its way out through the model.
    private struct ReaderError: Error {
        let error: any Error
    }

    init(agent: Agent<Output>, onEvent: @escaping @Sendable (AgentEvent<Output>) async throws -> Void) {
        self.agent = agent
        self.plan = OutputPlan(agent.output, for: agent.model.capabilities)
        self.onEvent = onEvent
        self.deadline = .now + agent.limits.wallClock - agent.limits.wallClockSpent
    }

    func start(_ history: [Message]) -> RunState {
        RunState(
            instructions: [agent.instructions, plan.instructions].filter { !$0.isEmpty }.joined(separator: "\n\n"),
            history: history,
            limits: agent.limits,
            outputTools: Set(plan.tools.map(\.name))
        )
    }

    /// All steps.
    func run(_ start: RunState) async throws -> AgentResult<Output> {
        try await guarded { [self] in
            try await spanned {
                var state = start
                while true {
                    if case .finished(let result) = try await step(&state) { return result }
                }
            }
        }
    }

    /// The next step alone.
    func next(_ state: RunState) async throws -> Stepped {
        try await guarded { [self] in
            var state = state
            let step = try await step(&state)
            return Stepped(state: state, step: step)
        }
    }

    private func step(_ state: inout RunState) async throws -> AgentStep<Output> {
        try Task.checkCancellation()
        switch try state.next() {
        case .ask(let messages): return try await ask(messages, &state)
        case .call(let calls): return try await call(calls, &state)
        case .readText(let text): return try await read(text, &state)
        case .readCalls(let calls): return try await read(calls, &state)
        }
    }

    private func ask(_ messages: [Message], _ state: inout RunState) async throws -> AgentStep<Output> {
        let answer = try await spanned(asking: { try await ask(messages) })
        try await take(answer, &state)
        return .answered(answer)
    }

    @inline(never)
    private func take(_ answer: ModelAnswer, _ state: inout RunState) async throws {
        try await emit(.message(try state.answered(answer)))
    }

    @inline(never)
    private func call(_ calls: [ToolCall], _ state: inout RunState) async throws -> AgentStep<Output> {
        let results = try await call(calls, counting: &state)
        for message in try state.called(results) { try await emit(.message(message)) }
        return .called(results)
    }

    @inline(never)
    private func read(_ text: String, _ state: inout RunState) async throws -> AgentStep<Output> {
        do {
            return try await finish(state, try await plan.read(text: text))
        } catch let error as OutputError {
            return try await reject(&state, error.message) { state throws(AgentError) in
                try state.rejected(text: error.message)
            }
        }
    }

    /// The first output that is right ends the run.
    @inline(never)
    private func read(_ calls: [ToolCall], _ state: inout RunState) async throws -> AgentStep<Output> {
        var reasons: [(call: ToolCall, reason: String)] = []
        for call in calls {
            do {
                let output = try await plan.read(call)
                for message in state.accepted(call, of: calls) { try await emit(.message(message)) }
                return try await finish(state, output)
            } catch let error as OutputError {
                reasons.append((call, error.message))
            }
        }
        let all = reasons
        return try await reject(&state, all.map(\.reason).joined(separator: " ")) { state throws(AgentError) in
            try state.rejected(all)
        }
    }

    private func reject(
        _ state: inout RunState,
        _ reason: String,
        _ change: (inout RunState) throws(AgentError) -> [Message]
    ) async throws -> AgentStep<Output> {
        let messages = try change(&state)
        try await emit(.rejected(reason))
        for message in messages { try await emit(.message(message)) }
        return .rejected(reason)
    }

    private func finish(_ state: RunState, _ output: Output) async throws -> AgentStep<Output> {
        let result = AgentResult(
            output: output,
            history: state.history,
            usage: state.usage,
            requests: state.requests,
            toolCalls: state.toolCalls,
            finishReason: state.finishReason,
            model: state.model ?? agent.model.name
        )
        try await emit(.finished(result))
        return .finished(result)
    }

    // MARK: The model

    private func ask(_ messages: [Message]) async throws -> ModelAnswer {
        let request = request(messages)
        guard let journal = agent.journal else { return try await perform(request) }
        let wasPerformed = Mutex(false)
        let answer = try await journal.ask(request, of: agent.model) {
            wasPerformed.withLock { $0 = true }
            return try await perform(request)
        }
        if !wasPerformed.withLock({ $0 }), !answer.text.isEmpty { try await emit(.text(answer.text)) }
        return answer
    }

    @inline(never)
    private func request(_ messages: [Message]) -> ModelRequest {
        agent.logger.debug("asking the model", metadata: ["model": "\(agent.model.qualifiedName)"])
        return ModelRequest(
            messages: messages,
            tools: agent.tools.map(\.definition) + plan.tools,
            toolChoice: plan.toolChoice,
            format: plan.format,
            options: agent.options
        )
    }

    private func perform(_ request: ModelRequest) async throws -> ModelAnswer {
        let gathered = GatheredAnswer()
        try agent.budget?.begin()
        // Also what a model that failed half-way had told of its cost.
        defer { agent.budget?.spend(gathered.answer.usage) }
        try await agent.model.respond(to: request) { [self] event in
            gathered.add(event)
            switch event {
            case .text(let piece): try await emit(.text(piece))
            case .thinking(let piece): try await emit(.thinking(piece))
            case .usage(let usage): try await emit(.usage(usage))
            case .model, .thought, .toolCall, .finish: break
            }
        }
        // A model that returns early when cancelled has not answered.
        try Task.checkCancellation()
        return gathered.answer
    }

    // MARK: What goes wrong

    func emit(_ event: AgentEvent<Output>) async throws {
        do { try await onEvent(event) } catch { throw ReaderError(error: error) }
    }

    private func guarded<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        do {
            try checkNames()
            return try await withinWallClock(work)
        } catch let reader as ReaderError {
            throw reader.error
        } catch {
            throw AgentError(of: error)
        }
    }

    private func checkNames() throws(AgentError) {
        var names: Set<String> = []
        for name in agent.tools.map(\.name) + plan.tools.map(\.name) where !names.insert(name).inserted {
            throw AgentError(.misconfigured, "Two tools are called \(name).")
        }
    }

    private func withinWallClock<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let late = AgentError(.limitReached, "The run took longer than its limit of \(agent.limits.wallClock.inWords).")
        // Nothing more is begun: it could be paid for before the alarm rings.
        guard deadline > .now else { throw late }
        return try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await work() }
            group.addTask { [deadline] in
                try await Alarm.sleep(until: deadline)
                throw late
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw AgentError.cancelled }
            return value
        }
    }
}
