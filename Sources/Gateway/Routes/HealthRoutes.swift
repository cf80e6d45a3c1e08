import Contract
import Hummingbird
import RPC
import Wire

/// `/livez`: the gateway runs. `/readyz`: it can do its work, which takes the other two.
struct HealthRoutes: Sendable {
    /// A load balancer asks every few seconds and wants its answer before that.
    private static let patience = Duration.seconds(1)

    /// What `/readyz` answers.
    private struct Readiness: Encodable {
        var ready: Bool
    }

    let runner: RPCClient
    let storage: RPCClient

    func add(to router: Router<BasicRequestContext>) {
        router.get("livez") { _, _ in
            Response(status: .ok, headers: [.contentType: "text/plain"], body: .init(byteBuffer: .init(string: "ok\n")))
        }
        router.get("readyz") { _, _ in try await readiness() }
    }

    private func readiness() async throws -> Response {
        async let storageReasons = reasons("storage", storage)
        async let runnerReasons = reasons("agent runner", runner)
        let reasons = await storageReasons + runnerReasons
        guard reasons.isEmpty else { throw ServiceError.unavailable("Not ready: \(reasons.joined(separator: "; ")).") }
        return try JSONResponse.response(Readiness(ready: true))
    }

    private func reasons(_ name: String, _ client: RPCClient) async -> [String] {
        do {
            let health = try await client.perform(GetHealth(), deadline: Self.patience)
            return health.ready ? [] : health.reasons.map { "\(name): \($0)" }
        } catch {
            return ["\(name): \(error.message)"]
        }
    }
}
