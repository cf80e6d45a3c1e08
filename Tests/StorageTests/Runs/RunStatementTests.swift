import Contract
import FoundationEssentials
import OctavoTesting
import Postgres
import Testing
import Wire

@testable import Storage

/// The statements against the machine: every pair of a state and an event, in Postgres.
@Suite(.serialized) struct RunStatementTests {
    @Test func postgresGoesWhereTheMachineGoesForEveryPairOfStateAndEvent() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(TestDatabase.make()))
        var number = 0
        for start in RunWalk.starts {
            for event in RunWalk.events(for: start.run) {
                number += 1
                let stored = StoredRun(connection, number, start.begin)
                try await stored.accept()
                for earlier in start.path { _ = try await stored.take(earlier) }
                try await stored.expect(start.run, "\(start.name), before \(event)")

                var run = start.run
                let isTaken = (try? run.take(event)) != nil
                let isDone = try await stored.take(event)
                if let isDone { #expect(isDone == isTaken, "\(start.name) \(event)") }
                try await stored.expect(run, "\(start.name) \(event)")
            }
        }
        await connection.close()
    }
}

/// A run in Postgres that does what a machine is told. Agent, lane and runners are its own, so that runs of other pairs
/// stay out of it.
private struct StoredRun {
    let connection: PostgresConnection
    let number: Int
    let begin: RunMachine
    let id = RunID.new()
    private let question = Question(text: "How?", channel: .http)
    private var agent: String { "agent-\(number)" }
    private var lane: String { "lane-\(number)" }

    init(_ connection: PostgresConnection, _ number: Int, _ begin: RunMachine) {
        self.connection = connection
        self.number = number
        self.begin = begin
    }

    private func name(_ runner: String) -> String { "\(runner)-\(number)" }

    private func lease(_ lease: RunMachine.Lease) -> RunMachine.Lease {
        RunMachine.Lease(runner: name(lease.runner), attempt: lease.attempt)
    }

    func accept() async throws {
        for runner in ["a", "b", "c"] {
            try await connection.query("insert into runner values (\(name(runner)), 1, 'infinity')")
        }
        if let runner = begin.runner {
            let event = RunEvent(sequence: 1, at: "", body: .status("…"))
            let open = OpenRun(
                run: id,
                agent: agent,
                model: "m",
                question: question,
                runner: name(runner),
                event: event
            )
            try await connection.query(Acceptance.open([.init(open: open, event: JSON(encoding: event).description)]))
            return
        }
        if begin.state == .waiting { try await enqueueOther() }
        var enqueue = EnqueueRun(run: id, agent: agent, question: question)
        if begin.hasLane { enqueue.lane = lane }
        if begin.state == .scheduled { enqueue.delayMilliseconds = 3_600_000 }
        enqueue.tries = begin.tries
        try await connection.query(enqueue.isPlain ? Acceptance.enqueue([enqueue]) : Acceptance.enqueue(enqueue))
    }

    /// Another run of the lane, of an agent nobody offers.
    @discardableResult
    private func enqueueOther() async throws -> RunID {
        var other = EnqueueRun(run: .new(), agent: "other", question: question)
        other.lane = lane
        try await connection.query(Acceptance.enqueue(other))
        return other.run
    }

    /// Whether it was done, where the statement tells.
    func take(_ event: RunMachine.Event) async throws -> Bool? {
        switch event {
        case .fallDue(let hasTurn):
            if !hasTurn { try await enqueueOther() }
            try await connection.query(
                "update run_work set ready_at = now() - interval '1 second' where run_id = \(id.uuid) and state = 'scheduled'"
            )
            try await connection.query(Transitions.fallDue(most: 1_000, sweep: true))
        case .turn: try await endAnother()
        case .claim(let runner):
            let offer = ClaimRuns.Offer(agent: agent, provider: "p")
            return try await !connection.query(RunQueue.statement(for: name(runner), [offer], most: 8)).isEmpty
        case .append(let lease, let first, let count): return try await append(lease, first, count, nil)
        case .finish(let lease, let first, let count, let state): return try await append(lease, first, count, state)
        case .drain(let lease):
            return try await !connection.query(Transitions.drain(id.uuid, self.lease(lease))).isEmpty
        case .await(let lease, let isPending):
            if isPending { try await ask() }
            let rows = try await connection.query(Transitions.await(id.uuid, self.lease(lease)))
            return try rows[0][0, as: String?.self] != nil
        case .decide:
            try await ask()
            try await connection.query(
                """
                select octavo_decide(id, true, 'somebody', null) from approval join run_work using (run_id)
                where run_id = \(id.uuid) and approval.state = 'pending'
                """
            )
        case .fail(let lease, let hasTime), .hold(let lease, let hasTime):
            let isHeld = if case .hold = event { true } else { false }
            let failure = Outcome.Failure(code: "unavailable", message: "It is away.")
            let rows = try await connection.query(
                Transitions.fail(
                    id.uuid,
                    self.lease(lease),
                    failure,
                    pause: 3_600_000,
                    within: hasTime ? nil : 1_000,
                    isHeld: isHeld
                )
            )
            return try rows[0][0, as: String?.self] != nil
        case .lose: try await lose()
        case .cancel: return try await !connection.query(Transitions.cancel(id.uuid)).isEmpty
        case .expire:
            try await connection.query("update run_work set deadline_at = now() where run_id = \(id.uuid)")
            return try await !connection.query(Transitions.expire(most: 1_000, sweep: true)).isEmpty
        }
        return nil
    }

    /// Something that a person has to approve, unless there is something already.
    private func ask() async throws {
        try await connection.query(
            """
            insert into approval (run_id, step, tool, arguments, hash, expires_at)
            select \(id.uuid), '1/a', 't', '{}', 'h', 'infinity'
            where not exists (select from approval where run_id = \(id.uuid))
            """
        )
    }

    private func endAnother() async throws {
        let others = try await connection.query(
            "select run_id from run_work where lane = \(lane) and run_id <> \(id.uuid)"
        )
        var runs = try others.map { try $0[0, as: UUID.self] }
        if runs.isEmpty { runs = [try await enqueueOther().uuid] }
        for run in runs { try await connection.query(Transitions.cancel(run)) }
    }

    private func lose() async throws {
        for runner in ["a", "b", "c"] {
            try await connection.transaction(Transitions.giveUp((name(runner), 1)))
            try await connection.query("insert into runner values (\(name(runner)), 1, 'infinity')")
        }
    }

    private func append(
        _ lease: RunMachine.Lease,
        _ first: Int,
        _ count: Int,
        _ state: RunState?
    ) async throws -> Bool {
        let lease = self.lease(lease)
        let outcome = state.map { Outcome(state: $0, answer: "So.", model: "m") }
        let last = first + count - 1
        let events = (first...last).map { sequence in
            let body = RunEvent.Body.text("\(sequence)")
            return RunEvent(
                sequence: sequence,
                at: "",
                body: outcome.map { sequence == last ? .finished($0) : body } ?? body
            )
        }
        let write = Transitions.Write(
            run: id,
            lease: lease,
            numbers: first...last,
            events: try JSON(encoding: events).description,
            outcome: outcome
        )
        let rows = try await connection.query(
            outcome == nil ? Transitions.append([write]) : Transitions.finish([write])
        )
        return try rows[0][0, as: Bool.self]
    }

    /// The record says what the machine says, and its events have no gap.
    func expect(_ run: RunMachine, _ comment: String) async throws {
        let rows = try await connection.query(
            """
            select coalesce(run_work.state, run.state), coalesce(run_work.attempt, run.attempt),
                coalesce(run_work.events, run.events), run_work.failures, run_work.runner, run_work.has_turn,
                run.outcome ->> 'state',
                (select coalesce(array_agg(sequence order by sequence), '{}') = array(select generate_series(1, max(sequence)))
                    and coalesce(max(sequence), 0) = \(run.events) from run_event where run_id = run.id),
                (select event ->> 'type' from run_event where run_id = run.id order by sequence desc limit 1),
                run_work.holds
            from run left join run_work on run_work.run_id = run.id where run.id = \(id.uuid)
            """
        )
        let row = rows[0]
        #expect(try row[0, as: String.self] == "\(run.state)", "\(comment)")
        #expect(try row[1, as: Int.self] == run.attempt, "\(comment)")
        #expect(try row[2, as: Int.self] == run.events, "\(comment)")
        #expect(try row[4, as: String?.self] == run.runner.map(name), "\(comment)")
        #expect(try row[7, as: Bool.self], "\(comment): events")
        if run.state.isTerminal {
            #expect(try row[6, as: String?.self] == "\(run.state)", "\(comment)")
            #expect(try row[8, as: String?.self] == "finished", "\(comment)")
        } else {
            #expect(try row[3, as: Int.self] == run.failures, "\(comment)")
            #expect(try row[5, as: Bool.self] == run.hasTurn, "\(comment)")
            #expect(try row[9, as: Int.self] == run.holds, "\(comment)")
        }
    }
}
