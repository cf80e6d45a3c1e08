import Contract
import FoundationEssentials
import Synchronization

/// Counts the runs that begin and end here, for monitoring: in memory, since a row that every run changed would be what all
/// wait for.
final class RunCounts: Sendable {
    /// Runs that have ended, of which it is looked up when somebody asks what they were. When nobody asks for long, the oldest
    /// are not counted: this many are some minutes of a busy queue, and some megabytes.
    private static let mostUnseen = 100_000

    fileprivate struct State {
        var agents: [String: GetRunMetrics.Agent] = [:]
        var unseen: [UUID] = []
    }

    private let state = Mutex(State())

    /// Runs that may have ended; one that has not is not counted.
    func touched(_ runs: [UUID]) {
        state.withLock { state in
            state.unseen.append(contentsOf: runs)
            if state.unseen.count > Self.mostUnseen { state.unseen.removeFirst(Self.mostUnseen / 2) }
        }
    }

    /// Those of which is not known yet whether and how they ended. They are the caller's to count, or to give back.
    func takeUnseen() -> [UUID] {
        state.withLock { state in
            defer { state.unseen = [] }
            return state.unseen
        }
    }

    /// So many runs have ended so, after as many seconds since they were accepted.
    func ended(_ agent: String, _ outcome: RunState, after seconds: Double) {
        state.withLock { state in
            state.change(agent) { counts in
                counts.ended[outcome.rawValue, default: 0] += 1
                counts.durations.add(seconds: seconds)
            }
        }
    }

    /// A run was given out for the first time, so many seconds after it could have been.
    func pickedUp(_ agent: String, after seconds: Double) {
        state.withLock { state in state.change(agent) { $0.pickups.add(seconds: seconds) } }
    }

    /// The counts so far, by agent.
    var agents: [String: GetRunMetrics.Agent] { state.withLock { $0.agents } }

    /// The name an agent is counted under.
    static func name(_ agent: String, among known: some Collection<String>) -> String {
        known.contains(agent) || known.count < GetRunMetrics.mostAgents ? agent : GetRunMetrics.rest
    }
}

extension RunCounts.State {
    fileprivate mutating func change(_ agent: String, _ body: (inout GetRunMetrics.Agent) -> Void) {
        body(&agents[RunCounts.name(agent, among: agents.keys), default: GetRunMetrics.Agent()])
    }
}
