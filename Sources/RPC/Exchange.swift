internal import Logging
internal import NIOCore
internal import Wire

/// Where a client's calls wait, travel, and are answered. Lives on one event loop; connects when a call needs it.
///
/// A call is in `calls` from the moment it arrives until it is answered, by whichever comes first: the service, its
/// deadline, its caller's cancelling, the end of the client, or of the connection it was written to. How connections come
/// and go is in `Exchange+Connecting.swift`.
final class Exchange {
    enum Phase {
        /// Calls wait for `run()`.
        case idle
        case running
        /// No new calls; those here are finished.
        case closing
        case closed
    }

    enum Connection {
        case none
        /// Until the next attempt.
        case pausing(Scheduled<Void>)
        /// From the attempt to connect to the service's hello.
        case connecting
        case open(CallerEnd)
    }

    let path: String
    let service: String
    let introduction: Message.Hello
    let limits: Limits
    let logger: Logger
    let loop: any EventLoop
    let presence: PresenceCell
    private(set) var phase = Phase.idle
    var connection = Connection.none
    /// Every connection that is not closed yet: the current one, and those whose service went away.
    var ends: [ObjectIdentifier: CallerEnd] = [:]
    var waiting = WaitingCalls()
    /// Calls that wait for the scope they belong to, or for room in it; apart from the others, who may wait for room that
    /// only the end of this scope makes.
    var waitingWithin: [ClientCall] = []
    var backoff = Backoff()
    private var calls: [ObjectIdentifier: ClientCall] = [:]
    private var timer: (due: NIODeadline, scheduled: Scheduled<Void>)?
    private let closed: EventLoopPromise<Void>

    init(
        path: String,
        service: String,
        introduction: Message.Hello,
        limits: Limits,
        logger: Logger,
        loop: any EventLoop,
        presence: PresenceCell
    ) {
        self.path = path
        self.service = service
        self.introduction = introduction
        self.limits = limits
        self.logger = logger
        self.loop = loop
        self.presence = presence
        closed = loop.makePromise()
    }

    deinit {
        // A client that never ran has nothing to close.
        closed.succeed()
    }

    // MARK: The client's life

    func start() {
        guard phase == .idle else { return }
        phase = .running
        dispatch()
    }

    /// Takes no more calls; returns when those here are answered and the connections closed.
    func close(atOnce: Bool) -> EventLoopFuture<Void> {
        if phase != .closed { phase = .closing }
        if atOnce { failAll("The client of \(service) is closing.") }
        closeIfDone()
        return closed.futureResult
    }

    func closeIfDone() {
        guard phase == .closing, calls.isEmpty else { return }
        for end in ends.values { end.close(reason: "the client is closing") }
        guard ends.isEmpty else { return }
        switch connection {
        case .connecting: return
        case .pausing(let attempt): attempt.cancel()
        case .none, .open: break
        }
        connection = .none
        phase = .closed
        timer?.scheduled.cancel()
        timer = nil
        closed.succeed()
    }

    // MARK: Calls

    func submit(_ request: Request) {
        if request.ticket.isWithdrawn { return request.answer(.failure(.cancelled())) }
        let now = NIODeadline.now()
        if let refusal = refusal(now: now) { return request.answer(.failure(refusal)) }
        let call = ClientCall(request, now: now)
        if request.within == nil {
            waiting.append(call)
        } else {
            waitingWithin.append(call)
        }
        calls[ObjectIdentifier(request.ticket)] = call
        expire(by: call.due)
        dispatch()
    }

    private func refusal(now: NIODeadline) -> ServiceError? {
        switch phase {
        case .idle, .running: break
        case .closing, .closed: return .unavailable("The client of \(service) is closing.")
        }
        guard waiting.count + waitingWithin.count < limits.callsWaiting else {
            return .resourceExhausted("\(limits.callsWaiting) calls of \(service) are waiting already.")
        }
        guard backoff.until > now, backoff.isOutage(now: now, patience: limits.patience) else { return nil }
        return unreachable(now: now)
    }

    /// The caller gives up: it is answered at once, and the service told.
    func cancel(_ ticket: Ticket) {
        guard let call = calls[ObjectIdentifier(ticket)] else { return }
        withdraw(call, reason: "cancelled")
        finish(call, .failure(.cancelled()))
    }

    func grant(_ items: Int, to ticket: Ticket) {
        guard case .inFlight(let end, let id) = calls[ObjectIdentifier(ticket)]?.place else { return }
        end.grant(items, to: id)
    }

    /// The one place where calls are answered.
    func finish(_ call: ClientCall, _ outcome: Result<JSON, ServiceError>) {
        guard calls.removeValue(forKey: ObjectIdentifier(call.request.ticket)) != nil else { return }
        call.request.answer(outcome)
        failWaiting(within: call)
        closeIfDone()
    }

    private func withdraw(_ call: ClientCall, reason: String) {
        switch call.place {
        case .waiting where call.request.within != nil: waitingWithin.removeAll { $0 === call }
        case .waiting: waiting.withdraw(call)
        case .withdrawn: break
        case .inFlight(let end, let id): end.abandon(id, reason: reason)
        }
    }

    /// Writes what waits, as far as the connection has room; connects when there is none.
    func dispatch() {
        guard phase == .running || phase == .closing else { return }
        if !waitingWithin.isEmpty { dispatchWithin() }
        guard !waiting.isEmpty else { return }
        switch connection {
        case .connecting, .pausing: break
        case .none: connect()
        case .open(let end):
            let now = NIODeadline.now()
            while let call = waiting.next(where: { end.hasRoom(for: $0) }) {
                if let size = end.start(call, now: now) { refuse(call, size) }
            }
            // Those that came right behind the calls just written.
            if !waitingWithin.isEmpty { dispatchWithin() }
        }
    }

    private func refuse(_ call: ClientCall, _ size: FrameEncoder.TooLarge) {
        let text = "The call has \(size.bytes) octets, \(service) accepts \(size.limit)."
        finish(call, .failure(.invalidArgument(text)))
    }

    func failWaiting(_ error: ServiceError) {
        for call in waiting.takeAll() { finish(call, .failure(error)) }
    }

    private func failAll(_ reason: String) {
        for call in calls.values {
            let retry: Retry = if case .waiting = call.place { .safe } else { .sameKey }
            withdraw(call, reason: "the client is closing")
            finish(call, .failure(.unavailable(reason, retry: retry)))
        }
    }
}

// Calls within the scope of another: they travel on its connection, also when that one's service is leaving.
extension Exchange {
    private func dispatchWithin() {
        let now = NIODeadline.now()
        let candidates = waitingWithin
        waitingWithin = []
        for call in candidates {
            // Both are answered below or in `finish`, which may have happened to a later candidate meanwhile.
            guard calls[ObjectIdentifier(call.request.ticket)] != nil else { continue }
            guard let ticket = call.request.within, let enclosing = calls[ObjectIdentifier(ticket)] else {
                finish(call, .failure(.failedPrecondition("The call it belongs to has ended.")))
                continue
            }
            guard case .inFlight(let end, let scope) = enclosing.place, end.hasRoom(within: scope) else {
                waitingWithin.append(call)
                continue
            }
            if let size = end.start(call, within: scope, now: now) { refuse(call, size) }
        }
    }

    private func failWaiting(within enclosing: ClientCall) {
        guard !waitingWithin.isEmpty else { return }
        let orphans = waitingWithin.filter { $0.request.within === enclosing.request.ticket }
        waitingWithin.removeAll { $0.request.within === enclosing.request.ticket }
        for call in orphans { finish(call, .failure(.failedPrecondition("The call it belongs to has ended."))) }
    }
}

// Deadlines: one timer for the earliest; calls that are answered in time leave it alone.
extension Exchange {
    private func expire(by due: NIODeadline) {
        if let timer {
            guard due < timer.due else { return }
            timer.scheduled.cancel()
        }
        timer = (due, loop.assumeIsolated().scheduleTask(deadline: due) { self.timeCame() })
    }

    private func timeCame() {
        timer = nil
        let now = NIODeadline.now()
        for call in calls.values {
            guard call.hasExpired(now: now) else {
                expire(by: call.due)
                continue
            }
            if case .inFlight = call.place {
                withdraw(call, reason: "deadline")
                finish(call, .failure(.deadlineExceeded("\(service) did not answer in time.")))
            } else {
                withdraw(call, reason: "deadline")
                let why = backoff.reason.isEmpty ? "" : ": \(backoff.reason)"
                finish(call, .failure(.deadlineExceeded("\(service) could not be asked in time\(why).", retry: .safe)))
            }
        }
    }

    /// A stream's reader begins to wait for an item: its deadline starts now.
    func readerWaits(_ ticket: Ticket) {
        guard let call = calls[ObjectIdentifier(ticket)] else { return }
        expire(by: .now() + call.length)
    }
}
