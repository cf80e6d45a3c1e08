internal import Contract
internal import Logging
internal import NIOCore
internal import Wire

/// The service's end of a connection: the pure machine, and the work of the calls in flight.
///
/// This is the one place where a `Task` is made: each call must be cancellable alone, by its id, so it cannot be a child
/// of anything that waits for all. The table of work owns the tasks; nothing leaves it before its task has ended, or the
/// connection has.
final class ServiceEnd: ConnectionEnd {
    struct Work {
        let task: Task<Void, Never>
        let length: TimeAmount
        var deadline: NIODeadline
        let isStanding: Bool
        /// What cancelled it, where that was not the caller: its terminal, should the work end as cancelled.
        var ending: ServiceError?
        /// Items that wait for credit, in order.
        var waiting = CircularBuffer<WaitingItem>(initialCapacity: 0)
    }

    let id = ConnectionID()
    let role: Role
    let state: ServerState
    var machine: ServiceMachine
    var work: [CallID: Work] = [:]
    var link: Link?
    var peer: PeerCredentials?
    private let loop: any EventLoop
    private(set) var nextDue: NIODeadline?
    let pausesReading = true

    init(role: Role, state: ServerState, loop: any EventLoop) {
        self.role = role
        self.state = state
        self.loop = loop
        machine = ServiceMachine(
            limits: state.limits,
            introduction: Message.Hello(
                role: state.operations.service,
                build: state.operations.version,
                limits: Message.Accepted(state.limits)
            ),
            requiresHello: role != .admin,
            atOnce: [GetHealth.name, Describe.name]
        )
    }

    var frameLimit: Int { machine.frameLimit }

    func opened(_ link: Link) {
        self.link = link
        // Without hello nothing is known of the peer's limit but the protocol's.
        if role == .admin { link.greeted(peerAccepts: Limits.standard.frameBytes) }
        let end = NIOLoopBound(self, eventLoop: loop)
        let loop = self.loop
        let isStopping = state.connected(id) { order in loop.execute { end.value.obey(order) } }
        if isStopping { obey(.goAway) }
    }

    func received(_ message: Message) throws(ProtocolViolation) {
        switch try machine.receive(message, processHasRoom: state.hasRoom) {
        case .nothing: break
        case .send(let answer): link?.say(answer)
        case .greet(let hello, let answer):
            link?.greeted(peerAccepts: hello.limits.frameBytes)
            link?.say(answer)
        case .start(let call): start(call)
        case .answerAtOnce(let call): answerAtOnce(call)
        case .cancel(let call, _): cancelWork(of: call)
        case .creditArrived(let call): sendItems(of: call)
        }
    }

    func violated(_ violation: ProtocolViolation) {
        state.violated(violation, id, role: role, peer: peer)
        link?.say(.error(id: nil, violation.error))
        link?.close(reason: violation.reason.rawValue)
        for call in work.keys { cancelWork(of: call) }
    }

    func inputEnded() {
        machine.inputEnded()
        closeIfDone()
    }

    func writable() {
        for call in work.keys { sendItems(of: call) }
    }

    func closed(reason: String) {
        link = nil
        for call in work.keys { cancelWork(of: call) }
        work = [:]
        state.disconnected(id, role: role)
    }

    func obey(_ order: ServerState.Order) {
        switch order {
        case .goAway:
            if let goaway = machine.goAway(reason: "The service is stopping.") { link?.say(goaway) }
            for (call, work) in work where work.isStanding { end(call, as: .unavailable("The service is stopping.")) }
            closeIfDone()
        case .cut: link?.cut(reason: "the service has stopped")
        }
    }

    private func closeIfDone() {
        if machine.mayClose { link?.close(reason: "all is answered") }
    }
}

// Calls.
extension ServiceEnd {
    private func start(_ call: Message.Call) {
        guard let entry = state.operations.entries[call.operation] else {
            return finish(call.id, .failure(.unimplemented("There is no operation \(call.operation).")))
        }
        if let refusal = refusal(of: call, entry) { return finish(call.id, .failure(refusal)) }
        let context = context(of: call)
        let end = NIOLoopBound(self, eventLoop: loop)
        let sink = ItemSink(call: call.id, end: end, loop: loop)
        let arguments = call.arguments
        let (id, loop, state) = (call.id, self.loop, self.state)
        state.callStarted()
        let task = Task {
            let outcome: Result<JSON, ServiceError>
            do {
                outcome = .success(try await entry.run(arguments, context, sink))
            } catch {
                outcome = .failure(ServiceError(thrown: error, context))
            }
            loop.execute {
                end.value.finish(id, outcome)
                state.callEnded()
            }
        }
        let length = TimeAmount(call.deadline)
        let deadline = NIODeadline.now() + length
        work[id] = Work(task: task, length: length, deadline: deadline, isStanding: entry.standing)
        due(by: deadline)
    }

    private func refusal(of call: Message.Call, _ entry: Operations.Entry) -> ServiceError? {
        guard entry.callers.contains(role) else {
            return .permissionDenied("\(call.operation) is not for \(role.rawValue).")
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

    private func context(of call: Message.Call) -> CallContext {
        CallContext(
            connection: id,
            role: role,
            operation: call.operation,
            deadline: .now + call.deadline,
            idempotencyKey: call.idempotencyKey,
            traceparent: call.traceparent?.nextHop() ?? TraceParent(),
            peer: peer,
            arguments: call.arguments,
            base: state.logger
        )
    }

    /// `health` and `describe`, here on the event loop: they answer while everything else hangs.
    private func answerAtOnce(_ call: Message.Call) {
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

    /// The call's terminal; the one way out of the table of work.
    func finish(_ id: CallID, _ outcome: Result<JSON, ServiceError>) {
        guard link != nil else { return }
        let ended = work.removeValue(forKey: id)
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
    private func end(_ id: CallID, as error: ServiceError) {
        guard work[id]?.ending == nil else { return }
        work[id]?.ending = error
        cancelWork(of: id)
    }

    func cancelWork(of id: CallID) {
        guard let call = work[id] else { return }
        call.task.cancel()
        work[id]?.waiting = CircularBuffer(initialCapacity: 0)
        for item in call.waiting { item.continuation.resume(throwing: CancellationError()) }
    }
}

// Deadlines.
extension ServiceEnd {
    private func due(by deadline: NIODeadline) {
        if nextDue.map({ deadline < $0 }) ?? true {
            nextDue = deadline
            link?.rearm()
        }
    }

    func tick(now: NIODeadline) {
        nextDue = nil
        for (id, call) in work where call.ending == nil {
            if call.deadline > now {
                due(by: call.deadline)
            } else if !call.waiting.isEmpty {
                // It waits for the reader, not the reader for it.
                work[id]?.deadline = now + call.length
                due(by: now + call.length)
            } else {
                end(id, as: .deadlineExceeded("The deadline passed."))
            }
        }
    }
}

// Items of streams.
extension ServiceEnd {
    func enqueue(_ item: WaitingItem, of id: CallID) {
        guard let call = work[id], !call.task.isCancelled, !item.ticket.isWithdrawn else {
            return item.continuation.resume(throwing: CancellationError())
        }
        guard let link, link.fits(item.item) else {
            let text = "An item has \(item.item.bytes.readableBytes) octets, more than fit into a frame."
            return item.continuation.resume(throwing: ServiceError(.resourceExhausted, text, retry: .no))
        }
        work[id]?.waiting.append(item)
        sendItems(of: id)
    }

    func withdraw(_ ticket: Ticket, of id: CallID) {
        guard let index = work[id]?.waiting.firstIndex(where: { $0.ticket === ticket }) else { return }
        work[id]?.waiting.remove(at: index).continuation.resume(throwing: CancellationError())
    }

    func sendItems(of id: CallID) {
        guard let link, let call = work[id], !call.waiting.isEmpty else { return }
        while link.isWritable, work[id]?.waiting.isEmpty == false, let sequence = machine.nextItem(of: id) {
            guard let item = work[id]?.waiting.removeFirst() else { return }
            link.say(.item(id: id, sequence: sequence, item.item))
            work[id]?.deadline = .now() + call.length
            item.continuation.resume()
        }
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
