import FoundationEssentials
import Synchronization

/// How far models may reach: a switch for tests, so that none asks a real provider by mistake and pays for it.
///
/// ```swift
/// try await NetworkAccess.restricted(to: .loopback) { try await agent.run("?") }
/// ```
///
/// The strictest of three counts: ``restricted(to:_:)`` around the run, ``restrict(to:)`` for the process, and the variable
/// `AGENTS_NETWORK` (`everywhere`, `loopback`, `nowhere`) of its environment. Recorded exchanges can always be replayed.
public enum NetworkAccess: Int, Sendable, Comparable {
    /// No model of a provider can be asked.
    case nowhere
    /// Only servers on this machine.
    case loopback
    /// No restriction.
    case everywhere

    @TaskLocal private static var ofTask = NetworkAccess.everywhere
    private static let ofProcess = Atomic(ofEnvironment.rawValue)

    /// Runs `work` with access no wider than `access`.
    @discardableResult
    public static func restricted<Value>(
        to access: NetworkAccess,
        _ work: () async throws -> Value
    ) async rethrows -> Value {
        try await $ofTask.withValue(min(access, ofTask)) { try await work() }
    }

    /// Restricts the whole process. It cannot be widened again.
    public static func restrict(to access: NetworkAccess) {
        ofProcess.min(access.rawValue, ordering: .relaxed)
    }

    /// The stricter is less.
    public static func < (left: NetworkAccess, right: NetworkAccess) -> Bool { left.rawValue < right.rawValue }

    /// Throws ``AgentError/Code/misconfigured`` when `host` is out of reach.
    static func check(_ host: String) throws(AgentError) {
        let allowed = min(ofTask, NetworkAccess(rawValue: ofProcess.load(ordering: .relaxed)) ?? .nowhere)
        let needed: NetworkAccess = isLoopback(host) ? .loopback : .everywhere
        guard needed <= allowed else {
            throw AgentError(.misconfigured, "Models may not be asked over the network here (NetworkAccess).")
        }
    }

    private static func isLoopback(_ host: String) -> Bool {
        ["localhost", "::1", "[::1]"].contains(host) || host.hasPrefix("127.")
    }

    private static var ofEnvironment: NetworkAccess {
        switch ProcessInfo.processInfo.environment["AGENTS_NETWORK"] {
        case "nowhere": .nowhere
        case "loopback": .loopback
        default: .everywhere
        }
    }
}
