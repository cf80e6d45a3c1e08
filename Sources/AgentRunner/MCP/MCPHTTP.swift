import Agents
import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Synchronization

/// A server that is reached over HTTP: each message is a POST, and the answer a document or a stream of events.
final class MCPHTTP: MCPTransport {
    private struct State {
        var next = 1
        var session: String?
        var version: String?
    }

    private let url: String
    private let timeout: Duration
    private let state = Mutex(State())

    init(url: String, timeout: Duration) {
        self.url = url
        self.timeout = timeout
    }

    /// Keeps a session with the server for as long as `body` takes.
    static func run<Result: Sendable>(
        _ url: String,
        timeout: Duration,
        _ body: @Sendable (any MCPTransport) async throws -> Result
    ) async throws -> Result {
        let server = MCPHTTP(url: url, timeout: timeout)
        do {
            let result = try await body(server)
            await server.leave()
            return result
        } catch {
            await server.leave()
            throw error
        }
    }

    func call(_ method: String, _ parameters: JSONValue?) async throws -> JSONValue {
        let id = state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
        let response = try await post(MCPMessage.request(method, parameters, id: id))
        if let session = response.headers.first(name: "mcp-session-id") { state.withLock { $0.session = session } }
        let answer = try await answer(in: response, id: id)
        if method == "initialize", case .string(let version)? = answer["result"]?["protocolVersion"] {
            state.withLock { $0.version = version }
        }
        return answer
    }

    func notify(_ method: String) async throws {
        let response = try await post(MCPMessage.notification(method))
        _ = try? await response.body.collect(upTo: 64 << 10)
    }

    private func post(_ message: String) async throws -> HTTPClientResponse {
        var request = request(.POST)
        request.headers.add(name: "content-type", value: "application/json")
        request.headers.add(name: "accept", value: "application/json, text/event-stream")
        request.body = .bytes(ByteBuffer(string: message))
        let response: HTTPClientResponse
        do {
            response = try await HTTPClient.agents.execute(request, timeout: TimeAmount(timeout))
        } catch {
            try Task.checkCancellation()
            throw MCPError("it did not answer")
        }
        guard (200..<300).contains(response.status.code) else {
            throw MCPError("it answered with HTTP \(response.status.code)")
        }
        return response
    }

    private func request(_ method: HTTPMethod) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.method = method
        let (session, version) = state.withLock { ($0.session, $0.version) }
        if let session { request.headers.add(name: "mcp-session-id", value: session) }
        if let version { request.headers.add(name: "mcp-protocol-version", value: version) }
        return request
    }

    private func answer(in response: HTTPClientResponse, id: Int) async throws -> JSONValue {
        let kind = response.headers.first(name: "content-type") ?? ""
        do {
            if kind.hasPrefix("text/event-stream") { return try await streamed(response, id: id) }
            let body = try await response.body.collect(upTo: MCPProcess.mostBytes)
            guard let answer = JSONValue(text: String(buffer: body)) else { throw MCPError("its answer is no JSON") }
            return answer
        } catch let error as MCPError {
            throw error
        } catch {
            try Task.checkCancellation()
            throw MCPError("its answer broke off")
        }
    }

    /// The event that answers the request; others, such as progress, may come before it.
    private func streamed(_ response: HTTPClientResponse, id: Int) async throws -> JSONValue {
        var parser = ServerSentEventParser()
        var bytes = 0
        for try await buffer in response.body {
            bytes += buffer.readableBytes
            guard bytes <= MCPProcess.mostBytes else { throw MCPError("its answer is too long") }
            for event in try parser.parse(buffer.readableBytesView) {
                if let message = JSONValue(text: event.data), message["id"] == .integer(id), message["method"] == nil {
                    return message
                }
            }
        }
        throw MCPError("its answer broke off")
    }

    /// Gives the session back; a server that has none says so, and nothing follows from it.
    private func leave() async {
        guard state.withLock({ $0.session }) != nil else { return }
        _ = try? await HTTPClient.agents.execute(request(.DELETE), timeout: .seconds(2))
    }
}
