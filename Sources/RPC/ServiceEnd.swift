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
        /// What it opens for further calls.
        let scope: CallScope?
        /// The call whose scope it belongs to.
        let within: CallID?
        /// What cancelled it, where that was not the caller: its terminal, should the work end as cancelled.
        var ending: ServiceError?
        /// Items that wait for credit, in order.
        var waiting = CircularBuffer<WaitingItem>(initialCapacity: 0)
    }

    let id = ConnectionID()
    let role: Role
    let state: ServerState
    let occupancy: Occupancy
    var machine: ServiceMachine
    var work: [CallID: Work] = [:]
    var link: Link?
    var peer: PeerCredentials?
    let loop: any EventLoop
    let executor: EventLoopExecutor
    private(set) var nextDue: NIODeadline?
    let pausesReading = true
    /// Who is at the other end, where that is an administrator. Looked up once.
    private(set) lazy var administrator = peer?.name ?? "unknown"

    init(role: Role, state: ServerState, occupancy: Occupancy, loop: any EventLoop) {
        self.role = role
        self.state = state
        self.occupancy = occupancy
        self.loop = loop
        executor = EventLoopExecutor(loop)
        machine = ServiceMachine(
            limits: state.limits,
            introduction: Message.Hello(
                role: state.operations.service,
                build: state.operations.version,
                limits: Message.Accepted(state.limits)
            ),
            requiresHello: role != .admin,
            atOnce: Set(state.operations.immediates.keys)
        )
    }

    var frameLimit: Int { machine.frameLimit }

    func opened(_ link: Link) {
        self.link = link
        state.ledger.connected(id, role: role, peer: peer, traffic: link.traffic)
        // Without hello nothing is known of the peer's limit but the protocol's.
        if role == .admin { link.greeted(peerAccepts: Limits.standard.frameBytes) }
        let end = NIOLoopBound(self, eventLoop: loop)
        let loop = self.loop
        let isStopping = state.connected(id) { order in loop.execute { end.value.obey(order) } }
        if isStopping { obey(.goAway) }
    }

    func received(_ message: Message) throws(ProtocolViolation) {
        let hasRoom = state.hasRoom && occupancy.mayWork(id)
        defer { occupancy.heard(id, isBusy: !work.isEmpty) }
        switch try machine.receive(message, processHasRoom: hasRoom) {
        case .nothing: break
        case .send(let answer):
            link?.say(answer)
            if case .call(let call) = message, case .error(_, let refusal) = answer { refused(call, refusal.code) }
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
        for call in work.values { call.scope?.end() }
        work = [:]
        state.disconnected(id, role: role)
    }

    func obey(_ order: ServerState.Order) {
        switch order {
        case .goAway:
            if let goaway = machine.goAway(reason: state.farewell) { link?.say(goaway) }
            for (call, work) in work where work.isStanding { end(call, as: .unavailable("The service is stopping.")) }
            closeIfDone()
        case .cut: link?.cut(reason: "the service has stopped")
        case .rest:
            for (call, work) in work where work.isStanding && role != .admin { end(call, as: drained) }
        }
    }

    /// What new work is answered with while an administrator has asked for none.
    var drained: ServiceError {
        .unavailable(
            "\(state.operations.service) takes no new work now: an administrator has drained it.",
            afterMilliseconds: 1_000
        )
    }

    /// Another connection takes the place of this one, which had no call in flight a moment ago.
    func makeRoom() {
        if let goaway = machine.goAway(reason: "Another connection needs the place.") { link?.say(goaway) }
        closeIfDone()
    }

    func closeIfDone() {
        if machine.mayClose { link?.close(reason: "all is answered") }
    }
}

// Deadlines.
extension ServiceEnd {
    func due(by deadline: NIODeadline) {
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
