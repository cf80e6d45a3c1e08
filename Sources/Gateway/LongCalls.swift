import Contract
import FoundationEssentials
import RPC

/// Several connections to one service, for calls that stay open as long as a model thinks or a reader follows: a
/// connection takes so many calls, and short calls must not wait behind them. Connections are made when they are needed.
struct LongCalls: Sendable {
    /// Eight times 64 calls are what storage takes from all its connections together; eight times the agent runner's 256 are
    /// twice what the gateway has connections of HTTP.
    private static let connections = 8

    let clients: [RPCClient]

    init(_ client: () -> RPCClient) {
        clients = (0..<Self.connections).map { _ in client() }
    }

    /// The connection for a run's calls.
    func client(for run: RunID) -> RPCClient {
        clients[Int(run.uuid.uuid.15) % clients.count]
    }
}
