import NIOCore
import Testing

@testable import Gateway

/// What becomes of connections when the server stops.
@Suite(.serialized, .timeLimit(.minutes(10))) struct StoppingTests {
    private static let request = ByteBuffer(string: "GET /livez HTTP/1.1\r\nHost: octavo\r\n\r\n")

    private func connected(_ server: TestServer) async throws {
        while server.connections == 0 { try await Task.sleep(for: .milliseconds(1)) }
    }

    @Test func aRequestThatWasSentBeforeItsClientKnewOfTheStopIsAnswered() async throws {
        var limits = HTTPLimits()
        limits.stopping = .seconds(30)
        try await TestServer.run(limits) { server in
            let text = try await server.connect { inbound, outbound in
                try await connected(server)
                await server.stop()
                try await outbound.write(Self.request)
                var text = ""
                // To its end: the server closes by itself.
                for try await buffer in inbound { text += String(buffer: buffer) }
                return text
            }
            // With Connection: close, unless the connection heard of the stop later than the request came.
            #expect(text.hasPrefix("HTTP/1.1 200"), "\(text)")
        }
    }

    @Test func aRequestThatHasBegunIsWaitedFor() async throws {
        var limits = HTTPLimits()
        limits.stopping = .milliseconds(1)
        try await TestServer.run(limits) { server in
            let text = try await server.connect { inbound, outbound in
                // One request first: the server has read what follows its answer.
                try await outbound.write(ByteBuffer(string: "GET /livez HTTP/1.1\r\nHost: octavo\r\n\r\nGET /li"))
                var text = ""
                var pieces = inbound.makeAsyncIterator()
                while !text.contains("200"), let piece = try await pieces.next() { text += String(buffer: piece) }
                await server.stop()
                try await outbound.write(ByteBuffer(string: "vez HTTP/1.1\r\nHost: octavo\r\n\r\n"))
                while let piece = try await pieces.next() { text += String(buffer: piece) }
                return text
            }
            #expect(text.split(separator: "HTTP/1.1 200").count == 2, "\(text)")
        }
    }

    @Test func aConnectionThatAsksForNothingIsClosed() async throws {
        try await TestServer.run { server in
            let text = try await server.connect { inbound, _ in
                try await connected(server)
                await server.stop()
                var text = ""
                for try await buffer in inbound { text += String(buffer: buffer) }
                return text
            }
            #expect(text == "")
        }
    }
}
