import AsyncHTTPClient
import Contract
import NIOHTTP1
import Wire

extension Asking {
    /// Whether an agent answers in a form of its own: then that is its answer, for programs, and not what it says beside it.
    func hasForm(_ agent: String) async throws -> Bool {
        do {
            let response = try await send(HTTPClientRequest(url: url + "/v1/agents"), isFirst: true)
            let list = try JSON(validating: try await collect(response)).decode(ListAgents.Result.self)
            return list.agents.first { $0.name == agent }?.output != nil
        } catch let failure as Failure {
            throw failure
        } catch {
            try Task.checkCancellation()
            // What is wrong, the run itself will say, or get over.
            return false
        }
    }
}
