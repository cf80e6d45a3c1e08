import AsyncHTTPClient
import Contract
import NIOHTTP1
import Wire

extension Asking {
    /// What a run has come to, as it is kept; nil when there is no such run, or it has not ended.
    func outcome(of run: RunID) async throws -> Outcome? {
        let request = HTTPClientRequest(url: "\(url)/v1/runs/\(run)")
        let response = try await send(request, isFirst: false)
        let body = try await collect(response)
        guard response.status == .ok else { return nil }
        return try JSON(validating: body).member("outcome")?.decode(Outcome.self)
    }
}
