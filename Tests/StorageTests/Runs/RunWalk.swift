import Contract

@testable import Storage

/// Every state a run can be in, with every event that can meet it there.
enum RunWalk {
    /// A state, and the events that lead to it from the beginning.
    struct Start {
        var name: String
        var begin: RunMachine
        var path: [RunMachine.Event]

        var run: RunMachine {
            path.reduce(into: begin) { run, event in
                do { _ = try run.take(event) } catch { preconditionFailure("\(name): \(event) is refused") }
            }
        }
    }

    private static let first = RunMachine.Lease(runner: "a", attempt: 1)

    static let starts: [Start] = {
        let queued = RunMachine.enqueued(isDue: true)
        let inLane = RunMachine.enqueued(isDue: true, hasLane: true)
        let lastTry = RunMachine.enqueued(isDue: true, tries: 1)
        let claim = RunMachine.Event.claim(runner: "a")
        return [
            Start(name: "scheduled", begin: .enqueued(isDue: false), path: []),
            Start(name: "scheduled in a lane", begin: .enqueued(isDue: false, hasLane: true), path: []),
            Start(name: "waiting", begin: .enqueued(isDue: true, hasLane: true, laneHasRoom: false), path: []),
            Start(name: "queued", begin: queued, path: []),
            Start(name: "queued with its turn", begin: inLane, path: []),
            Start(name: "running", begin: queued, path: [claim]),
            Start(name: "running with its turn", begin: inLane, path: [claim]),
            Start(name: "running with events", begin: queued, path: [claim, .append(first, first: 1, count: 3)]),
            Start(name: "running for the last time", begin: lastTry, path: [claim]),
            Start(name: "opened", begin: .opened(by: "a"), path: []),
            Start(name: "drained", begin: queued, path: [claim, .drain(first)]),
            Start(name: "waiting for a person", begin: queued, path: [claim, .await(first, isPending: true)]),
            Start(
                name: "waiting for a person, with its turn",
                begin: inLane,
                path: [claim, .await(first, isPending: true)]
            ),
            Start(name: "lost", begin: queued, path: [claim, .lose]),
            Start(name: "tried again later", begin: queued, path: [claim, .fail(first, hasTime: true)]),
            Start(name: "tried again later, with its turn", begin: inLane, path: [claim, .fail(first, hasTime: true)]),
            Start(
                name: "running for the last time after it was held",
                begin: lastTry,
                path: [claim, .hold(first, hasTime: true), .fallDue(hasTurn: true), .claim(runner: "b")]
            ),
            Start(name: "running again", begin: queued, path: [claim, .lose, .claim(runner: "b")]),
            Start(name: "succeeded", begin: queued, path: [claim, .finish(first, first: 1, count: 2, .succeeded)]),
            Start(name: "failed", begin: lastTry, path: [claim, .fail(first, hasTime: true)]),
            Start(name: "cancelled", begin: inLane, path: [.cancel]),
            Start(name: "expired", begin: queued, path: [claim, .expire]),
        ]
    }()

    /// Each kind of event, by the holder of the lease and by others, in order, repeated and with a gap.
    static func events(for run: RunMachine) -> [RunMachine.Event] {
        var leases = [
            RunMachine.Lease(runner: "a", attempt: 1), .init(runner: "b", attempt: 2), .init(runner: "a", attempt: 7),
        ]
        if let lease = run.lease, !leases.contains(lease) { leases.append(lease) }
        let next = run.events + 1
        return [.fallDue(hasTurn: true), .claim(runner: "c"), .lose, .decide, .cancel, .expire]
            + (run.hasLane ? [.fallDue(hasTurn: false), .turn] : [])
            + leases.flatMap { lease -> [RunMachine.Event] in
                [
                    .append(lease, first: next, count: 2), .append(lease, first: next + 1, count: 1),
                    .finish(lease, first: next, count: 1, .succeeded), .finish(lease, first: next, count: 2, .failed),
                    .finish(lease, first: next, count: 1, .cancelled),
                    .finish(lease, first: next + 1, count: 1, .succeeded),
                    .drain(lease), .fail(lease, hasTime: true), .fail(lease, hasTime: false),
                    .hold(lease, hasTime: true), .hold(lease, hasTime: false),
                    .await(lease, isPending: true), .await(lease, isPending: false),
                ]
            }
    }

    static func lease(of event: RunMachine.Event) -> RunMachine.Lease? {
        switch event {
        case .append(let lease, _, _), .finish(let lease, _, _, _), .drain(let lease), .fail(let lease, _),
            .hold(let lease, _), .await(let lease, _):
            lease
        case .fallDue, .turn, .claim, .lose, .decide, .cancel, .expire: nil
        }
    }

    /// The word of the page for an event.
    static func kind(_ event: RunMachine.Event) -> String {
        switch event {
        case .fallDue: "fall due"
        case .turn: "turn"
        case .claim: "claim"
        case .append: "append"
        case .finish: "finish"
        case .drain: "drain"
        case .await: "await"
        case .decide: "decide"
        case .fail: "fail"
        case .hold: "hold"
        case .lose: "lose"
        case .cancel: "cancel"
        case .expire: "expire"
        }
    }

    /// The arrows of protocol/runs.md, as event, state before and state after.
    static let page: Set<[String]> = {
        let arrows = Protocol.page("runs.md").split(separator: "\n").compactMap { line -> [[String]]? in
            let parts = line.split(separator: ": ", maxSplits: 1)
            let states = parts.first?.split(separator: " --> ").map { $0.filter { $0 != " " } } ?? []
            guard parts.count == 2, states.count == 2, states[0] != "[*]" else { return nil }
            // "lose or fail, for the last time"
            let events = parts[1].split(separator: ",")[0].split(separator: " or ")
            return events.map { [String($0), states[0], states[1]] }
        }
        return Set(arrows.joined())
    }()
}
