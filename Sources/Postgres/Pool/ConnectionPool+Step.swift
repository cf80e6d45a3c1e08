import Logging
import Synchronization

extension ConnectionPool {
    /// What is left to do once the lock is released: nothing foreign runs under it.
    private enum Effect {
        case answer(CheckedContinuation<Result<Lease, PostgresError>, Never>, Result<Lease, PostgresError>)
        case work(Work)
        case close(Machine.ConnectionID, PostgresConnection)
        case schedule(Instant)
        case logDown(PostgresError?)
        case logUp
        case finish
    }

    /// Tells the machine of an event and carries out what it says.
    func step(_ event: (inout State, Instant) -> [Machine.Action]) {
        let effects = state.withLock { state in
            let wasDown = state.machine.isDown
            let wasStarting = state.machine.availability == .starting
            let actions = event(&state, .now)
            var effects = actions.compactMap { effect(of: $0, &state) }
            if let next = state.machine.nextTimer, next < state.timer ?? .now + .seconds(86_400 * 365) {
                state.timer = next
                effects.append(.schedule(next))
            }
            if state.machine.isDown, !wasDown { effects.append(.logDown(state.lastError)) }
            if state.machine.availability == .up, wasDown || wasStarting { effects.append(.logUp) }
            return effects
        }
        effects.forEach(carryOut)
    }

    private func effect(of action: Machine.Action, _ state: inout State) -> Effect? {
        switch action {
        case .open(let id): return .work(.open(id))
        case .settle(let id): return state.connections[id].map { .work(.settle(id, $0)) }
        case .close(let id): return state.connections.removeValue(forKey: id).map { .close(id, $0) }
        case .lend(let id, let waiter):
            guard let connection = state.connections[id] else { return nil }
            return state.waiting.removeValue(forKey: waiter)
                .map { .answer($0, .success(Lease(id: id, connection: connection))) }
        case .fail(let waiter, let refusal):
            let error = error(for: refusal, because: state.lastError)
            return state.waiting.removeValue(forKey: waiter).map { .answer($0, .failure(error)) }
        case .finish: return .finish
        }
    }

    private func carryOut(_ effect: Effect) {
        switch effect {
        case .answer(let continuation, let result): continuation.resume(returning: result)
        case .work(let work): enqueue.yield(work)
        case .close(let id, let connection): close(id, connection)
        case .schedule(let instant):
            reactor.schedule(timerID, at: instant) { [weak self] in self?.timerFired() }
        case .logDown(let error):
            logger.warning(
                "Postgres cannot be reached",
                metadata: ["reason": "\(error?.description ?? "")", "database": "\(configuration)"]
            )
        case .logUp: logger.info("Postgres can be reached", metadata: ["database": "\(configuration)"])
        case .finish: enqueue.finish()
        }
    }

    /// Whether Postgres is known to be away.
    var isDown: Bool { state.withLock { $0.machine.isDown } }

    /// Whether no connection is lent any more.
    var isStopped: Bool { state.withLock { $0.machine.isStopped } }

    private func timerFired() {
        step { state, now in
            state.timer = nil
            return state.machine.timerFired(now: now)
        }
    }

    /// Closes on the reactor and not by a task of `run`, which may be over.
    private func close(_ id: Machine.ConnectionID, _ connection: PostgresConnection) {
        reactor.submit { [weak self] in
            connection.assumeIsolated { $0.close() }
            self?.step { state, _ in state.machine.closed(id) }
        }
    }

    /// Ends the pool; `run` returns when the last connection is gone.
    func stop(breakingOff: Bool) {
        reads?.stop(breakingOff: breakingOff)
        step { state, _ in state.machine.stop(breakingOff: breakingOff) }
    }

    // MARK: What run does

    func perform(_ work: Work) async {
        switch work {
        case .open(let id): await open(id)
        case .settle(let id, let connection):
            let isUsable = await connection.settle()
            if !isUsable { await connection.close() }
            step { state, now in
                if !isUsable { state.connections[id] = nil }
                return state.machine.settled(id, isUsable: isUsable, now: now)
            }
        }
    }

    private func open(_ id: Machine.ConnectionID) async {
        do throws(PostgresError) {
            let connection = try await PostgresConnection.connect(configuration, on: reactor, logger: logger) {
                [weak self] in
                self?.died(id)
            }
            step { state, now in
                // Its end may have been announced already, when nothing was known of it here.
                guard connection.condition != .closed else { return state.machine.openingFailed(id, now: now) }
                state.lastError = nil
                state.connections[id] = connection
                return state.machine.opened(id, now: now)
            }
        } catch {
            step { state, now in
                state.lastError = error
                return state.machine.openingFailed(id, now: now)
            }
        }
    }

    private func died(_ id: Machine.ConnectionID) {
        step { state, _ in
            let actions = state.machine.died(id)
            if state.machine.connections[id] == nil { state.connections[id] = nil }
            return actions
        }
    }
}

extension PoolStateMachine {
    fileprivate var isDown: Bool {
        if case .down = availability { true } else { false }
    }
}
