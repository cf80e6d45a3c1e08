internal import Glibc
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Wire

// How connections come and go.
extension Exchange {
    func connect() {
        guard backoff.until <= .now() else {
            let attempt = loop.assumeIsolated().scheduleTask(deadline: backoff.until) {
                self.connection = .none
                self.dispatch()
            }
            return connection = .pausing(attempt)
        }
        connection = .connecting
        let end = CallerEnd(exchange: self, introduction: introduction, limits: limits, logger: logger)
        let bound = NIOLoopBound(end, eventLoop: loop)
        let limits = self.limits
        ClientBootstrap(group: loop)
            .channelOption(
                .writeBufferWaterMark,
                value: .init(low: limits.outQueueBytes / 4, high: limits.outQueueBytes)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let link = Link(end: bound.value, limits: limits, awaitsHello: false)
                    try channel.pipeline.syncOperations.addHandler(link)
                }
            }
            .connect(unixDomainSocketPath: path)
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success: self.ends[ObjectIdentifier(end)] = end
                case .failure(let error): self.failed(error)
                }
            }
    }

    func happened(_ event: CallerEnd.Event, at end: CallerEnd) {
        switch event {
        case .opened:
            backoff.succeeded()
            connection = .open(end)
            presence.become(.connected)
        case .room: break
        case .leaving(let notStarted, let isAsleep):
            if isCurrent(end) {
                connection = .none
                presence.become(isAsleep ? .asleep : .away)
            }
            for call in notStarted.reversed() {
                call.place = .waiting
                waiting.prepend(call)
            }
        case .closed(let reason, let lost): closed(end, reason: reason, lost: lost)
        }
        dispatch()
    }

    private func isCurrent(_ end: CallerEnd) -> Bool {
        if case .open(let current) = connection { current === end } else { false }
    }

    private func closed(_ end: CallerEnd, reason: ServiceError?, lost: [ClientCall]) {
        ends[ObjectIdentifier(end)] = nil
        // Written is not answered: it may have been done.
        let error = ServiceError.unavailable("The connection to \(service) broke.", retry: .sameKey)
        for call in lost { finish(call, .failure(error)) }
        if isCurrent(end) {
            connection = .none
            presence.become(.away)
        } else if !end.hasBeenOpen {
            connectionFailed(
                reason?.message ?? "it closed the connection before its hello",
                isBusy: reason?.code == .resourceExhausted,
                isPermanent: reason?.code == .failedPrecondition
            )
        }
        closeIfDone()
    }

    private func failed(_ error: any Error) {
        // A full backlog is EAGAIN, with nothing to wait on; the peer is there, only slow.
        let code = (error as? IOError)?.errnoCode
        connectionFailed(
            // Without a number it is a path that no socket can have.
            code.map { String(cString: strerror($0)) } ?? "its socket cannot be used",
            isBusy: code == EAGAIN,
            isPermanent: code == EACCES || code == nil
        )
        dispatch()
        closeIfDone()
    }

    private func connectionFailed(_ reason: String, isBusy: Bool, isPermanent: Bool) {
        let now = NIODeadline.now()
        connection = .none
        backoff.failed(reason, isBusy: isBusy, now: now)
        logger.debug("Could not connect", metadata: ["service": "\(service)", "reason": "\(reason)"])
        if isPermanent || backoff.isOutage(now: now, patience: limits.patience) { failWaiting(unreachable(now: now)) }
    }

    func unreachable(now: NIODeadline) -> ServiceError {
        let pause = max(0, (backoff.until - now).nanoseconds / 1_000_000)
        return .unavailable("\(service) cannot be reached: \(backoff.reason).", afterMilliseconds: Int(pause))
    }
}
