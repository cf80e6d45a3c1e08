import Contract
import Hummingbird
import RPC
import Wire

/// `/livez`: the gateway runs. `/readyz`: it can do its work, which takes the other two.
struct HealthRoutes: Sendable {
    /// What `/readyz` answers.
    private struct Readiness: Encodable {
        var ready: Bool
    }

    let neighbours: Neighbours
    let drain: Drain

    func add(to router: Router<BasicRequestContext>) {
        router.get("livez") { _, _ in
            Response(status: .ok, headers: [.contentType: "text/plain"], body: .init(byteBuffer: .init(string: "ok\n")))
        }
        router.get("readyz") { _, _ in
            let reasons = neighbours.reasons + (drain.isOn ? [Health.drained] : [])
            guard reasons.isEmpty else {
                throw ServiceError.unavailable("Not ready: \(reasons.joined(separator: "; ")).")
            }
            return try JSONResponse.response(Readiness(ready: true))
        }
    }
}
