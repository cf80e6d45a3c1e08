internal import Contract
internal import Logging
internal import NIOCore
internal import Wire

// Calls: what starts them, and their one terminal.
extension ServiceEnd {
    func start(_ call: Message.Call) {
        guard let entry = state.operations.entries[call.operation] else {
            return finish(call.id, .failure(.unimplemented("There is no operation \(call.operation).")))
        }
        if let refusal = refusal(of: call, entry) { return finish(call.id, .failure(refusal)) }
        let scope = entry.opensScope ? CallScope() : nil
        let context = context(of: call, opening: scope)
        let end = NIOLoopBound(self, eventLoop: loop)
        let sink = ItemSink(call: call.id, end: end, loop: loop)
        let arguments = call.arguments
        let (id, isStanding, loop, state) = (call.id, entry.standing, self.loop, self.state)
        state.callStarted(isStanding: isStanding)
        let task = Task(executorPreference: executor(for: call, entry)) {
            let outcome: Result<JSON, ServiceError>
            do {
                outcome = .success(try await entry.run(arguments, context, sink))
            } catch {
                outcome = .failure(ServiceError(thrown: error, context))
            }
            loop.execute {
                end.value.finish(id, outcome)
                state.callEnded(isStanding: isStanding)
            }
        }
        let length = TimeAmount(call.deadline)
        let deadline = NIODeadline.now() + length
        work[id] = Work(
            task: task,
            length: length,
            deadline: deadline,
            isStanding: entry.standing,
            scope: scope,
            within: call.within
        )
        due(by: deadline)
    }

    /// Reading large arguments takes long, whatever the operation does with them.
    private func executor(for call: Message.Call, _ entry: Operations.Entry) -> (any TaskExecutor)? {
        entry.isBrief && call.arguments.bytes.readableBytes <= Self.mostBriefBytes ? executor : nil
    }

    /// Some 50 microseconds of decoding.
    private static let mostBriefBytes = 8192

    private func refusal(of call: Message.Call, _ entry: Operations.Entry) -> ServiceError? {
        guard entry.callers.contains(role) else {
            return .permissionDenied("\(call.operation) is not for \(role.rawValue).")
        }
        if let enclosing = call.within, work[enclosing]?.scope == nil {
            return .failedPrecondition("Call \(enclosing) is not in flight, or opens no scope.")
        }
        guard call.within == nil || entry.mayBeWithin else {
            return .invalidArgument("\(call.operation) cannot be called within another call.")
        }
        guard entry.streams == (call.stream != nil) else {
            return .invalidArgument(
                entry.streams
                    ? "\(call.operation) answers with a stream: call it with \"stream\"."
                    : "\(call.operation) does not stream: call it without \"stream\"."
            )
        }
        return nil
    }

    private func context(of call: Message.Call, opening scope: CallScope?) -> CallContext {
        CallContext(
            connection: id,
            role: role,
            operation: call.operation,
            deadline: .now + call.deadline,
            idempotencyKey: call.idempotencyKey,
            traceparent: call.traceparent?.nextHop() ?? TraceParent(),
            peer: peer,
            arguments: call.arguments,
            scope: scope,
            within: call.within.flatMap { work[$0]?.scope },
            base: state.logger
        )
    }

    /// `health` and `describe`, here on the event loop: they answer while everything else hangs.
    func answerAtOnce(_ call: Message.Call) {
        let answer: Result<JSON, ServiceError> =
            if call.stream != nil {
                .failure(.invalidArgument("\(call.operation) does not stream: call it without \"stream\"."))
            } else if call.operation == Describe.name {
                .success(state.description)
            } else if GetHealth.callers.contains(role) {
                .success(state.health())
            } else {
                .failure(.permissionDenied("\(call.operation) is not for \(role.rawValue)."))
            }
        sendTerminal(call.id, answer, items: nil)
    }

    /// What is still in flight within a scope goes with it.
    private func end(_ scope: CallScope, of id: CallID) {
        scope.end()
        for work in work.values where work.within == id { work.task.cancel() }
    }

    /// The call's terminal; the one way out of the table of work.
    func finish(_ id: CallID, _ outcome: Result<JSON, ServiceError>) {
        guard link != nil else { return }
        let ended = work.removeValue(forKey: id)
        occupancy.heard(self.id, isBusy: !work.isEmpty)
        if let scope = ended?.scope { end(scope, of: id) }
        // Whoever held on to the writer beyond the handler must not wait for ever.
        for item in ended?.waiting ?? [] { item.continuation.resume(throwing: CancellationError()) }
        var outcome = outcome
        if case .failure(let error) = outcome, error.code == .cancelled, let ending = ended?.ending {
            outcome = .failure(ending)
        }
        sendTerminal(id, outcome, items: machine.answered(id))
        closeIfDone()
    }

    private func sendTerminal(_ id: CallID, _ outcome: Result<JSON, ServiceError>, items: Int?) {
        let message: Message =
            switch (outcome, items) {
            case (.success(let value), let items?): .end(id: id, items: items, result: value)
            case (.success(let value), nil): .result(id: id, value)
            case (.failure(let error), _): .error(id: id, error)
            }
        do throws(FrameEncoder.TooLarge) {
            try link?.send(message)
        } catch {
            let text = "The answer has \(error.bytes) octets, a frame holds \(error.limit): ask for less."
            link?.say(.error(id: id, ServiceError(.resourceExhausted, text, retry: .no)))
        }
    }

    /// Cancels the work for a reason of the service's own.
    func end(_ id: CallID, as error: ServiceError) {
        guard work[id]?.ending == nil else { return }
        work[id]?.ending = error
        cancelWork(of: id)
    }

    /// What is in flight within its scope is cancelled with it.
    func cancelWork(of id: CallID) {
        guard let call = work[id] else { return }
        call.task.cancel()
        if call.scope != nil { for inner in work.values where inner.within == id { inner.task.cancel() } }
        work[id]?.waiting = CircularBuffer(initialCapacity: 0)
        for item in call.waiting { item.continuation.resume(throwing: CancellationError()) }
    }
}

extension ServiceError {
    /// What a handler threw, as it travels. The text of a defect stays here.
    init(thrown error: any Error, _ context: CallContext) {
        switch error {
        case let error as ServiceError: self = error
        case is CancellationError: self = .cancelled()
        default:
            context.logger.error("A call failed by a defect", metadata: ["error": "\(String(reflecting: error))"])
            self = .internal("A defect; the trace id is \(context.traceparent.traceID).")
        }
    }
}
