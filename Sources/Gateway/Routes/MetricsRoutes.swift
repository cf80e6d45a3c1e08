import Contract
import HTTPTypes
import Hummingbird
import NIOCore
import RPC
import Wire

/// `/metrics`: the numbers of all three services, for Prometheus.
struct MetricsRoutes: Sendable {
    /// A service answers from memory; one that hangs is down as far as monitoring goes.
    private static let patience = Duration.seconds(1)

    let own: @Sendable () -> Stats
    let neighbours: Neighbours

    func add(to router: Router<BasicRequestContext>) {
        router.get("metrics") { _, _ in
            let asleep = neighbours.clients.filter { $0.client.presence == .asleep }.map { Self.service($0.name) }
            async let runs = runs()
            let services = [("gateway", own())] + (await others())
            let text = Prometheus.text(services, asleep: Set(asleep), runs: await runs)
            return Response(
                status: .ok,
                headers: [.contentType: Prometheus.contentType, .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text))
            )
        }
    }

    private func others() async -> [(name: String, stats: Stats?)] {
        await withTaskGroup(of: (name: String, stats: Stats?).self) { group in
            for (name, client) in neighbours.clients {
                group.addTask {
                    // Monitoring wakes nobody.
                    guard client.presence != .asleep else { return (Self.service(name), nil) }
                    return (Self.service(name), try? await client.perform(GetStats(), deadline: Self.patience))
                }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.name < $1.name }
        }
    }

    /// Those of runs are counted in the database: when it is away, or slow, they are left out.
    private func runs() async -> GetRunMetrics.Result? {
        guard let storage = neighbours.clients.first(where: { $0.name == "storage" }) else { return nil }
        return try? await storage.client.perform(GetRunMetrics(), deadline: Self.patience)
    }

    /// As the service names itself.
    private static func service(_ neighbour: String) -> String { neighbour.replacing(" ", with: "-") }
}
