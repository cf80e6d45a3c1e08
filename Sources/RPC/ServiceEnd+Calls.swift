internal import Contract
internal import Logging
internal import NIOCore
internal import Traces
internal import Tracing
internal import Wire

// Calls: what starts them, and their one terminal.
extension ServiceEnd {
    func start(_ call: Message.Call) {
        guard let entry = state.operations.entries[call.operation] else {
            return refuse(call, .unimplemented("There is no operation \(call.operation)."))
        }
        do throws(ServiceError) { try permit(call, entry) } catch { return refuse(call, error) }
        if role == .admin, entry.callers == [.admin] { note(call, entry.effect) }
        let scope = entry.opensScope ? CallScope() : nil
        let span = state.recorder?.answering(call, role: role, isStanding: entry.standing)
        let context = context(of: call, opening: scope, span)
        let end = NIOLoopBound(self, eventLoop: loop)
        let sink = ItemSink(call: call.id, end: end, loop: loop)
        let arguments = call.arguments
        let (id, isStanding, loop, state) = (call.id, entry.standing, self.loop, self.state)
        state.callStarted(isStanding: isStanding)
        let started = ContinuousClock.now
        state.ledger.started(
            Ledger.Call(
                operation: call.operation,
                started: started,
                deadline: call.stream == nil ? context.deadline : nil,
                trace: context.traceparent,
                arguments: arguments,
                within: call.within
            ),
            id,
            on: self.id
        )
        let task = Task(executorPreference: executor(for: call, entry)) {
            let outcome = await entry.answer(arguments, context, sink, span)
            loop.execute {
                let code = end.value.finish(id, outcome)
                state.ledger.ended(
                    context.operation,
                    id,
                    on: context.connection,
                    started: started,
                    code,
                    isMeasured: !isStanding
                )
                state.callEnded(isStanding: isStanding)
                context.noteEnd(outcome, since: started)
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

    private func permit(_ call: Message.Call, _ entry: Operations.Entry) throws(ServiceError) {
        guard entry.callers.contains(role) else {
            throw .permissionDenied("\(call.operation) is not for \(role.rawValue).")
        }
        if let enclosing = call.within, work[enclosing]?.scope == nil {
            throw .failedPrecondition("Call \(enclosing) is not in flight, or opens no scope.")
        }
        guard call.within == nil || entry.mayBeWithin else {
            throw .invalidArgument("\(call.operation) cannot be called within another call.")
        }
        guard entry.streams == (call.stream != nil) else {
            throw .invalidArgument(
                entry.streams
                    ? "\(call.operation) answers with a stream: call it with \"stream\"."
                    : "\(call.operation) does not stream: call it without \"stream\"."
            )
        }
        try confirm(call, entry.effect)
        // What is open is finished, and administrators look and mend.
        if state.drain.isOn, role != .admin, call.within == nil { throw drained }
    }

    private func refuse(_ call: Message.Call, _ error: ServiceError) {
        finish(call.id, .failure(error))
        refused(call, error.code)
    }

    /// Counts a call that was not begun. Names that there are not are counted as one: anybody can make up more.
    func refused(_ call: Message.Call, _ code: ErrorCode) {
        state.ledger.answered(state.operations.entries[call.operation] == nil ? "other" : call.operation, code)
    }

    private func context(of call: Message.Call, opening scope: CallScope?, _ span: RecordedSpan?) -> CallContext {
        CallContext(
            connection: id,
            role: role,
            operation: call.operation,
            deadline: .now + call.deadline,
            idempotencyKey: call.idempotencyKey,
            // Without a span of its own, what it calls belongs to the span that called it.
            traceparent: span?.traceParent ?? call.traceparent ?? TraceParent(),
            callerTraceparent: call.traceparent,
            peer: peer,
            arguments: call.arguments,
            scope: scope,
            within: call.within.flatMap { work[$0]?.scope },
            base: state.logger
        )
    }

    /// What is still in flight within a scope goes with it.
    private func end(_ scope: CallScope, of id: CallID) {
        scope.end()
        for work in work.values where work.within == id { work.task.cancel() }
    }

    /// The call's terminal; the one way out of the table of work.
    ///
    /// Returns the code it was answered with; nil for a result.
    @discardableResult
    func finish(_ id: CallID, _ outcome: Result<JSON, ServiceError>) -> ErrorCode? {
        guard link != nil else { return outcome.code ?? .cancelled }
        let ended = work.removeValue(forKey: id)
        occupancy.heard(self.id, isBusy: !work.isEmpty)
        if let scope = ended?.scope { end(scope, of: id) }
        // Whoever held on to the writer beyond the handler must not wait for ever.
        for item in ended?.waiting ?? [] { item.continuation.resume(throwing: CancellationError()) }
        var outcome = outcome
        if case .failure(let error) = outcome, error.code == .cancelled, let ending = ended?.ending {
            outcome = .failure(ending)
        }
        let code = sendTerminal(id, outcome, items: machine.answered(id))
        closeIfDone()
        return code
    }

    func sendTerminal(_ id: CallID, _ outcome: Result<JSON, ServiceError>, items: Int?) -> ErrorCode? {
        let message: Message =
            switch (outcome, items) {
            case (.success(let value), let items?): .end(id: id, items: items, result: value)
            case (.success(let value), nil): .result(id: id, value)
            case (.failure(let error), _): .error(id: id, error)
            }
        do throws(FrameEncoder.TooLarge) {
            try link?.send(message)
            return outcome.code
        } catch {
            let text = "The answer has \(error.bytes) octets, a frame holds \(error.limit): ask for less."
            link?.say(.error(id: id, ServiceError(.resourceExhausted, text, retry: .no)))
            return .resourceExhausted
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

extension Operations.Entry {
    /// The handler's answer. Its span is over before the answer is sent, and so within the caller's.
    fileprivate func answer(
        _ arguments: JSON,
        _ context: CallContext,
        _ sink: ItemSink,
        _ span: RecordedSpan?
    ) async -> Result<JSON, ServiceError> {
        guard let span else { return await answer(arguments, context, sink) }
        let outcome = await ServiceContext.withValue(span.context) { await answer(arguments, context, sink) }
        span.endAnswering(outcome)
        return outcome
    }

    private func answer(
        _ arguments: JSON,
        _ context: CallContext,
        _ sink: ItemSink
    ) async -> Result<JSON, ServiceError> {
        do {
            return .success(try await run(arguments, context, sink))
        } catch {
            return .failure(ServiceError(thrown: error, context))
        }
    }
}

extension Result where Failure == ServiceError {
    /// The error's code; nil for a success.
    fileprivate var code: ErrorCode? { if case .failure(let error) = self { error.code } else { nil } }
}

extension CallContext {
    /// What failed for reasons of the service's own is for the log; the rest is for whoever looks closer.
    fileprivate func noteEnd(_ outcome: Result<JSON, ServiceError>, since started: ContinuousClock.Instant) {
        let level: Logger.Level =
            switch outcome.code {
            case .internal, .dataLoss, .outcomeUnknown: .warning
            default: .debug
            }
        guard base.logLevel <= level else { return }
        var metadata: Logger.Metadata = ["ms": "\(Int(started.duration(to: .now) / .milliseconds(1)))"]
        if case .failure(let error) = outcome {
            metadata["error_code"] = "\(error.code.rawValue)"
            metadata["error"] = "\(error.message)"
        }
        logger.log(level: level, outcome.code == nil ? "call answered" : "call failed", metadata: metadata)
    }
}

extension ServiceError {
    /// What a handler threw, as it travels. The text of a defect stays here.
    init(thrown error: any Error, _ context: CallContext) {
        switch error {
        case let error as ServiceError: self = error
        case is CancellationError: self = .cancelled()
        default:
            context.logger.error(
                "A call failed by a defect",
                metadata: ["error_code": "internal", "error": "\(String(reflecting: error))"]
            )
            self = .internal("A defect; the trace id is \(context.traceparent.traceID).")
        }
    }
}
