import Contract
import NIOCore
import Postgres
import RPC
import Wire

/// The operations on questions and runs.
struct Runs: Sendable {
    let database: Database
    let signals: RunSignals
    let leases: Leases
    let queue: RunQueue
    let writes: RunWrites

    func add(to operations: inout Operations, _ statements: inout Statements) {
        operations.onJSON(OpenRun.self) { try await open($0, $1) }
        operations.on(AppendEvents.self) { try await append($0, $1) }
        operations.runOnEventLoop(OpenRun.self)
        operations.runOnEventLoop(AppendEvents.self)
        operations.on(SetRoom.self) { set, _ in try self.set(set) }
        operations.on(ReleaseRun.self) { try await release($0, $1) }
        operations.on(CancelRun.self) { try await cancel($0, $1) }
        let (signals, writes) = (signals, writes)
        statements.on(
            EnqueueRun.self,
            trace: { $0.traceparent = $1($0.traceparent) },
            mayRace: true,
            byItself: { enqueue in
                try CommandRun.check(enqueue.agent)
                return try await writes.enqueue(enqueue)
            },
            to: &operations
        ) { enqueue in
            try CommandRun.check(enqueue.agent)
            return try Acceptance.enqueue(enqueue)
        } afterwards: {
            signals.accepted($0)
        }
        statements.on(
            RetryRun.self,
            trace: { $0.traceparent = $1($0.traceparent) },
            mayRace: true,
            to: &operations,
            Acceptance.retry
        ) { _ in signals.signal(.queue) }
        operations.on(LimitRuns.self) { try await limit($0, $1) }
        operations.on(HoldProvider.self) { try await hold($0, $1) }
        operations.onJSON(GetRun.self) { try await get($0, $1) }
        operations.onJSON(ListRuns.self) { try await list($0, $1) }
        operations.allowWithin(GetRun.self)
        operations.allowWithin(ListRuns.self)
        operations.onStream(FollowRun.self, standing: true) { try await follow($0, $1, $2) }
        operations.onStream(ClaimRuns.self, standing: true) { try await claim($0, $1, $2) }
    }

    private func open(_ open: OpenRun, _ call: CallContext) async throws -> JSON {
        try open.question.check()
        try open.run.check()
        try open.policy.check()
        try CommandRun.check(open.agent)
        // The connection is the sign of life behind this lease too: the runner may open a run before its first claim.
        try await leases.connected(open.runner, on: call.connection, anew: false, deadline: call.deadline)
        var open = open
        open.traceparent = call.trace(or: open.traceparent)
        if let step = open.step {
            try RunSteps.check(
                step.step,
                open.model,
                step.digest,
                tokens: step.tokens,
                microdollars: step.microdollars
            )
        }
        let event = call.arguments.member("event")?.description ?? "null"
        let opened: JSON
        do {
            opened = try await writes.open(open, event: event)
        } catch let error as ServiceError where error.isGivenUp {
            // Another host has not heard of the runner for too long; but here it is.
            try await leases.connected(open.runner, on: call.connection, anew: true, deadline: call.deadline)
            opened = try await writes.open(open, event: event)
        }
        if open.deadlineMilliseconds != nil { signals.signal(.clock) }
        return opened
    }

    private func append(_ append: AppendEvents, _ call: CallContext) async throws -> Done {
        guard let first = append.events.first, let last = append.events.last else { return Done() }
        let numbers = append.events.map(\.sequence)
        // Before anything is added to it: whoever sends the greatest number there is must not end the process.
        guard (1...Int(Int32.max) - numbers.count).contains(first.sequence),
            numbers == Array(first.sequence..<(first.sequence + numbers.count))
        else {
            throw ServiceError.invalidArgument("Events have to be numbered from 1 on without a gap.")
        }
        let outcome = last.body.outcome
        guard outcome?.state.isTerminal ?? true else {
            throw ServiceError.invalidArgument("A run that has finished has succeeded, failed or was cancelled.")
        }
        let write = Transitions.Write(
            run: append.run,
            lease: RunMachine.Lease(runner: append.runner, attempt: append.attempt),
            numbers: first.sequence...last.sequence,
            events: call.arguments.member("events")?.description ?? "[]",
            outcome: outcome,
            ended: try ended(append, call)
        )
        guard try await writes.store(write) else {
            throw ServiceError.failedPrecondition("The lease of run \(append.run) is lost; it goes on elsewhere.")
        }
        signals.signal(.run(append.run))
        guard outcome != nil else { return Done() }
        leases.over(append.run, of: append.runner)
        signals.runsEnded([append.run.uuid])
        return Done()
    }

    /// The steps that end with the run, as they were sent.
    private func ended(_ append: AppendEvents, _ call: CallContext) throws -> String {
        guard let ended = append.ended, !ended.isEmpty else { return "[]" }
        for step in ended {
            let tokens = [step.inputTokens, step.cachedTokens, step.outputTokens]
            try RunSteps.check(tokens, step.microdollars, model: step.model)
        }
        guard ended.count <= 100, append.events.last?.body.outcome != nil else {
            throw ServiceError.invalidArgument(
                "At most 100 steps end with a run, and together with its event finished."
            )
        }
        return call.arguments.member("ended")?.description ?? "[]"
    }

    private func release(_ release: ReleaseRun, _ call: CallContext) async throws -> Done {
        let lease = RunMachine.Lease(runner: release.runner, attempt: release.attempt)
        let uuid = release.run.uuid
        let statement =
            switch release.reason {
            case .drained: Transitions.drain(uuid, lease)
            case .awaiting: Transitions.await(uuid, lease)
            case .lost: Transitions.lose(uuid, lease)
            case .failed, .held:
                Transitions.fail(
                    uuid,
                    lease,
                    release.error ?? Outcome.Failure(code: "internal", message: "The attempt failed."),
                    pause: min(max(0, release.afterMilliseconds ?? 0), HoldProvider.longestMilliseconds),
                    within: release.withinMilliseconds.map { min(max(0, $0), RunPolicy.longestMilliseconds) },
                    isHeld: release.reason == .held
                )
            }
        _ = try await database.racing(until: call.deadline) {
            try await database.rows(statement, deadline: call.deadline)
        }
        leases.over(release.run, of: release.runner)
        signals.signal(.run(release.run))
        let isLater = [.failed, .held].contains(release.reason)
        signals.signal(isLater ? .clock : .queue)
        // Where it was the last try, or there is no time for another.
        if isLater || release.reason == .lost { signals.runsEnded([uuid]) }
        // Until when somebody has to decide.
        if release.reason == .awaiting { signals.signal(.clock) }
        return Done()
    }

    private func cancel(_ cancel: CancelRun, _ call: CallContext) async throws -> Done {
        // Others may end runs of the same lanes at this moment.
        let ended = try await database.racing(until: call.deadline) {
            try await database.rows(Transitions.cancel(cancel.run.uuid), deadline: call.deadline)
        }
        try signals.concluded(ended)
        guard ended.isEmpty else { return Done() }
        let rows = try await database.rows(
            "select state from run where id = \(cancel.run.uuid)",
            isReadOnly: true,
            deadline: call.deadline
        )
        guard let row = rows.first else { throw ServiceError.notFound("There is no run \(cancel.run).") }
        switch try row[0, as: String?.self] {
        case "cancelled": return Done()
        case let state?: throw ServiceError.failedPrecondition("The run has ended: it has \(state).")
        case nil: throw ServiceError.aborted("The run was accepted at this very moment; try again.")
        }
    }

    private func limit(_ limit: LimitRuns, _ call: CallContext) async throws -> Done {
        guard (1...EnqueueRun.maximumNameBytes).contains(limit.agent.utf8.count),
            (0...LimitRuns.mostConcurrent).contains(limit.concurrent ?? 0),
            (limit.starts == nil) == (limit.seconds == nil),
            (1...LimitRuns.mostStarts).contains(limit.starts ?? 1),
            (1...LimitRuns.longestSeconds).contains(limit.seconds ?? 1)
        else {
            throw ServiceError.invalidArgument(
                "Name an agent; concurrent is 0 to \(LimitRuns.mostConcurrent), and starts, 1 to \(LimitRuns.mostStarts), "
                    + "goes with seconds, 1 to \(LimitRuns.longestSeconds)."
            )
        }
        _ = try await database.rows(
            """
            with forgotten as (
                delete from agent_start where agent = \(limit.agent) and \(limit.starts == nil)
            )
            insert into agent_limit (agent, concurrent, starts, per)
            values (\(limit.agent), \(limit.concurrent), \(limit.starts),
                \(limit.seconds)::integer * interval '1 second')
            on conflict (agent) do update set concurrent = excluded.concurrent, starts = excluded.starts,
                per = excluded.per
            """,
            deadline: call.deadline
        )
        signals.signal(.queue)
        return Done()
    }

    private func hold(_ hold: HoldProvider, _ call: CallContext) async throws -> Done {
        guard (1...EnqueueRun.maximumNameBytes).contains(hold.provider.utf8.count),
            (0...HoldProvider.longestMilliseconds).contains(hold.milliseconds)
        else {
            throw ServiceError.invalidArgument("ms has to be from 0 to \(HoldProvider.longestMilliseconds).")
        }
        _ = try await database.rows(
            """
            insert into provider_hold (provider, until)
            values (\(hold.provider), clock_timestamp() + \(hold.milliseconds)::bigint * interval '1 millisecond')
            on conflict (provider) do update set until = greatest(provider_hold.until, excluded.until)
            """,
            deadline: call.deadline
        )
        return Done()
    }
}

extension RunSignals {
    /// A run was accepted: now, or for a time that the clock has to know of.
    func accepted(_ run: EnqueueRun) {
        if run.delayMilliseconds ?? 0 == 0 { signal(.queue) }
        if run.delayMilliseconds ?? 0 > 0 || run.deadlineMilliseconds != nil { signal(.clock) }
    }
}

extension RunEvent.Body {
    fileprivate var outcome: Outcome? { if case .finished(let outcome) = self { outcome } else { nil } }
}
