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
            let text = Prometheus.text([("gateway", own())] + (await others()))
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
                group.addTask { (name, try? await client.perform(GetStats(), deadline: Self.patience)) }
            }
            // As the service names itself.
            return await group.reduce(into: []) { $0.append(($1.name.replacing(" ", with: "-"), $1.stats)) }
                .sorted { $0.name < $1.name }
        }
    }
}
