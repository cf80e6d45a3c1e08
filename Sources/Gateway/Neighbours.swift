import Contract
import RPC
import ServiceLifecycle
import Synchronization
import Wire

/// The services the gateway needs, and whether they can do their work: asked all the time, so that whoever wants to know
/// is answered from memory, also while they hang. Each is asked on a connection of its own, where nothing else waits.
final class Neighbours: Service {
    /// How long an answer from memory may take to be wrong: a load balancer asks every few seconds.
    private static let pause = (
        ready: Duration.seconds(1), away: Duration.milliseconds(100), asleep: Duration.milliseconds(250)
    )
    /// One that answers later than this hangs; services answer `health` within milliseconds whatever else they do.
    private static let patience = Duration.seconds(1)

    private struct Seen {
        /// Why it cannot do its work; empty when it can.
        var reasons: [String]
        var gauges: [String: Int] = [:]
    }

    let clients: [(name: String, client: RPCClient)]
    private let seen: Mutex<[String: Seen]>
    /// Whether somebody calls the service of this name now.
    private let isCalled: @Sendable (String) -> Bool

    /// - Parameter isCalled: whether the service of this name is connected to for work.
    init(
        _ clients: [(name: String, client: RPCClient)],
        isCalled: @escaping @Sendable (String) -> Bool = { _ in false }
    ) {
        self.clients = clients
        self.isCalled = isCalled
        let unknown = clients.map { ($0.name, Seen(reasons: ["\($0.name): not asked yet"])) }
        seen = Mutex(Dictionary(uniqueKeysWithValues: unknown))
    }

    /// Why the gateway cannot do its work, for people; empty when it can.
    var reasons: [String] {
        let seen = seen.withLock { $0 }
        return clients.flatMap { seen[$0.name]?.reasons ?? [] }
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
            if client.presence == .asleep, !isWanted(name) {
                // The next question starts it, and so would we.
                seen.withLock { $0[name]?.reasons = [] }
                try? await Task.sleep(for: Self.pause.asleep)
                continue
            }
            let found = await Self.ask(name, client)
            seen.withLock { $0[name] = found }
            try? await Task.sleep(for: found.reasons.isEmpty ? Self.pause.ready : Self.pause.away)
        }
    }

    /// Whether a service that sleeps is to be asked, which wakes it: it has been called meanwhile, or there are runs in the
    /// queue or messages to send, which nobody else would tell it of.
    private func isWanted(_ name: String) -> Bool {
        isCalled(name)
            || seen.withLock { seen in
                seen.values.contains { seen in
                    [Health.queuedRuns, Health.dueMessages].contains { seen.gauges[$0, default: 0] > 0 }
                }
            }
    }

    private static func ask(_ name: String, _ client: RPCClient) async -> Seen {
        do {
            let health = try await client.perform(GetHealth(), deadline: patience)
            return Seen(reasons: health.ready ? [] : health.reasons.map { "\(name): \($0)" }, gauges: health.gauges)
        } catch {
            // It names the service, and ends as a sentence does.
            return Seen(reasons: [error.message.last == "." ? String(error.message.dropLast()) : error.message])
        }
    }
}
