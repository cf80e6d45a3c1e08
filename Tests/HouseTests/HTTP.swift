import Agents
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import TestSupport
import Wire

/// HTTP against a house, as little of it as the tests need.
struct HTTP {
    struct Answer {
        var status: Int
        var headers: HTTPHeaders
        var body: String

        var json: JSON? { try? JSON(validating: body) }
        func string(_ key: String) -> String? { json?.member(key)?.string }
    }

    let house: TestHouse

    func get(_ path: String, headers: HTTPHeaders = [:]) async throws -> Answer {
        try await send(.GET, path, headers: headers, body: nil)
    }

    func post(_ path: String, _ body: String, headers: HTTPHeaders = [:]) async throws -> Answer {
        try await send(.POST, path, headers: headers, body: ByteBuffer(string: body))
    }

    func post(_ path: String, bytes: [UInt8]) async throws -> Answer {
        try await send(.POST, path, headers: [:], body: ByteBuffer(bytes: bytes))
    }

    func delete(_ path: String) async throws -> Answer {
        try await send(.DELETE, path, headers: [:], body: nil)
    }

    func ask(_ question: String) async throws -> Answer {
        try await post("/v1/ask", #"{"question":"\#(question)"}"#)
    }

    private func send(_ method: HTTPMethod, _ path: String, headers: HTTPHeaders, body: ByteBuffer?) async throws
        -> Answer
    {
        var request = HTTPClientRequest(url: house.address + path)
        request.method = method
        request.headers = headers
        if let body { request.body = .bytes(body) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(600))
        let bytes = try await response.body.collect(upTo: 8 << 20)
        return Answer(status: Int(response.status.code), headers: response.headers, body: String(buffer: bytes))
    }

    /// The events of a stream, each given to `onEvent` as it comes.
    @discardableResult
    func events(
        _ method: HTTPMethod,
        _ path: String,
        body: String? = nil,
        headers: HTTPHeaders = [:],
        onEvent: (ServerSentEvent) async throws -> Void = { _ in }
    ) async throws -> [ServerSentEvent] {
        var request = HTTPClientRequest(url: house.address + path)
        request.method = method
        request.headers = headers
        request.headers.add(name: "accept", value: "text/event-stream")
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(600))
        var parser = ServerSentEventParser()
        var events: [ServerSentEvent] = []
        for try await buffer in response.body {
            for event in try parser.parse(buffer.readableBytesView) {
                events.append(event)
                try await onEvent(event)
            }
        }
        return events
    }
}
