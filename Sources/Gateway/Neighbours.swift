import Contract
import RPC
import ServiceLifecycle
import Synchronization
import Wire

/// The services the gateway needs, and whether they can do their work: asked all the time, so that whoever wants to know
/// is answered from memory, also while they hang. Each is asked on a connection of its own, where nothing else waits.
final class Neighbours: Service {
    /// How long an answer from memory may take to be wrong: a load balancer asks every few seconds.
    private static let pause = (ready: Duration.seconds(1), away: Duration.milliseconds(100))
    /// One that answers later than this hangs; services answer `health` within milliseconds whatever else they do.
    private static let patience = Duration.seconds(1)

    let clients: [(name: String, client: RPCClient)]
    /// Why each cannot do its work; empty when it can.
    private let seen: Mutex<[String: [String]]>

    init(_ clients: [(name: String, client: RPCClient)]) {
        self.clients = clients
        seen = Mutex(Dictionary(uniqueKeysWithValues: clients.map { ($0.name, ["\($0.name): not asked yet"]) }))
    }

    /// Why the gateway cannot do its work, for people; empty when it can.
    var reasons: [String] {
        let seen = seen.withLock { $0 }
        return clients.flatMap { seen[$0.name] ?? [] }
    }

    func run() async {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for (name, client) in self.clients {
                    group.addTask { await self.observe(name, client) }
                }
            }
        }
    }

    private func observe(_ name: String, _ client: RPCClient) async {
        while !Task.isCancelled {
            let reasons = await Self.ask(name, client)
            seen.withLock { $0[name] = reasons }
            try? await Task.sleep(for: reasons.isEmpty ? Self.pause.ready : Self.pause.away)
        }
    }

    private static func ask(_ name: String, _ client: RPCClient) async -> [String] {
        do {
            let health = try await client.perform(GetHealth(), deadline: patience)
            return health.ready ? [] : health.reasons.map { "\(name): \($0)" }
        } catch {
            // It names the service, and ends as a sentence does.
            return [error.message.last == "." ? String(error.message.dropLast()) : error.message]
        }
    }
}
