import NIOCore
import Testing
import Wire

@testable import Gateway

/// Requests that are wrong as HTTP, over real sockets: each is told so in the one shape, and none keeps its connection.
@Suite(.serialized, .timeLimit(.minutes(10))) struct HTTPConnectionTests {
    private static let host = "Host: octavo\r\n"

    struct Wrong: Sendable, CustomTestStringConvertible {
        var status: Int
        var pieces: [String]
        var ends = false

        var testDescription: String { "\(status): \(pieces.joined(separator: "|").prefix(60))" }
    }

    private static let long = String(repeating: "x", count: 5_000)
    private static let get = "GET / HTTP/1.1\r\n\(host)"
    private static let post = "POST /v1/ask HTTP/1.1\r\n\(host)"
    private static let chunked = "\(post)Transfer-Encoding: chunked\r\n\r\n"

    static let wrong: [Wrong] = [
        Wrong(status: 400, pieces: ["FLY / HTTP/1.1\r\n\(host)\r\n"]),
        Wrong(status: 400, pieces: ["\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\r\n\r\n"]),
        Wrong(status: 400, pieces: ["GET /li vez HTTP/1.1\r\n\(host)\r\n"]),
        Wrong(status: 400, pieces: ["\(get)bad header: x\r\n\r\n"]),
        Wrong(status: 400, pieces: ["GET /livez HTTP/1.1\r\n\r\n"]),
        Wrong(status: 400, pieces: ["\(get)\(host)\r\n"]),
        Wrong(status: 400, pieces: ["GET /livez HTTP/1.1\r\nHo"], ends: true),
        Wrong(status: 505, pieces: ["GET /livez HTTP/2.0\r\n\(host)\r\n"]),
        Wrong(status: 505, pieces: ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]),
        Wrong(status: 414, pieces: ["GET /\(long)\(long) HTTP/1.1\r\n\(host)\r\n"]),
        Wrong(status: 414, pieces: ["GET /\(long)", long]),
        Wrong(status: 431, pieces: ["\(get)X: \(long)\(long)\r\n\r\n"]),
        Wrong(status: 431, pieces: [get, "X: \(long)", "\(long)\r\n\r\n"]),
        Wrong(status: 431, pieces: ["\(get)\(String(repeating: "X: x\r\n", count: 101))\r\n"]),
        Wrong(status: 431, pieces: ["\(get)\(String(repeating: "X: \(long)\r\n", count: 4))\r\n"]),
        Wrong(status: 413, pieces: ["\(post)Content-Length: 70000\r\n\r\n"]),
        Wrong(
            status: 413,
            pieces: [chunked] + Array(repeating: "4000\r\n\(String(repeating: " ", count: 0x4000))\r\n", count: 5)
        ),
        Wrong(status: 400, pieces: ["\(post)Content-Length: x\r\n\r\n"]),
        Wrong(status: 400, pieces: ["\(post)Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"]),
        Wrong(status: 400, pieces: [chunked, "zz\r\n"]),
        Wrong(status: 400, pieces: [chunked, "5\r\n{\"que"], ends: true),
        Wrong(status: 400, pieces: ["\(post)Content-Length: 50\r\n\r\n{\"question\":"], ends: true),
    ]

    @Test(arguments: wrong)
    func whatIsNoRequestIsAProblemAndTheEndOfItsConnection(_ wrong: Wrong) async throws {
        try await TestServer.run { server in
            let answer = try await server.send(wrong.pieces, ends: wrong.ends)
            #expect(answer.statuses == [wrong.status], "\(answer.text)")
            #expect(answer.has("content-type: application/problem+json"))
            #expect(answer.has("connection: close"))
            #expect(answer.problem?.member("status")?.integer == wrong.status, "\(answer.text)")
            #expect(answer.problem?.member("detail")?.string?.hasSuffix(".") == true)
            #expect(answer.problem?.member("title")?.string?.isEmpty == false)
        }
    }

    @Test func aWrongRequestWaitsForTheAnswersBeforeIt() async throws {
        try await TestServer.run { server in
            let good = "GET /livez HTTP/1.1\r\n\(Self.host)\r\n"
            let answer = try await server.send([good + good + "FLY\r\n\r\n" + good])
            #expect(answer.statuses == [200, 200, 400], "\(answer.text)")
        }
    }

    @Test func aHeadThatComesTooSlowlyIsTold() async throws {
        try await TestServer.run(HTTPLimits(idle: .milliseconds(200))) { server in
            // On a busy machine the first octet may come too late: then the connection ends without a word.
            func answer(_ pieces: [String]) async throws -> TestServer.Answer {
                while true {
                    let answer = try await server.send(pieces)
                    if !answer.text.isEmpty { return answer }
                }
            }
            let first = try await answer(["GET /livez HTTP/1.1\r\nHost: oct"])
            #expect(first.statuses == [408], "\(first.text)")
            let second = try await answer(["GET /livez HTTP/1.1\r\n\(Self.host)\r\nGET /li"])
            #expect(second.statuses == [200, 408], "\(second.text)")
            let silent = try await server.send([""])
            #expect(silent.text.isEmpty)
        }
    }

    @Test func aBodyThatComesTooSlowlyIsToldAndItsConnectionEnds() async throws {
        try await TestServer.run(HTTPLimits(body: .milliseconds(200))) { server in
            let answer = try await server.send(["POST /v1/ask HTTP/1.1\r\n\(Self.host)Content-Length: 9\r\n\r\n{"])
            #expect(answer.statuses == [408], "\(answer.text)")
            #expect(answer.has("connection: close"))
        }
    }

    @Test func oneConnectionTooManyIsToldWhenToTryAgain() async throws {
        try await TestServer.run(HTTPLimits(connections: 1)) { server in
            let request = "GET /livez HTTP/1.1\r\n\(Self.host)\r\n"
            try await server.connect { inbound, outbound in
                try await outbound.write(ByteBuffer(string: request))
                var parts = inbound.makeAsyncIterator()
                _ = try await parts.next()
                let refused = try await server.send([request])
                #expect(refused.statuses == [503], "\(refused.text)")
                #expect(refused.has("retry-after: 1"))
                #expect(refused.problem?.member("code")?.string == "unavailable")
            }
        }
    }

    @Test func aHeadRequestIsAnsweredLikeAGetWithoutABody() async throws {
        try await TestServer.run { server in
            let get = "GET /livez HTTP/1.1\r\n\(Self.host)Connection: close\r\n\r\n"
            for path in ["/livez", "/readyz", "/v1/nothing", "/v1/books/seven"] {
                let answer = try await server.send(["HEAD \(path) HTTP/1.1\r\n\(Self.host)\r\n" + get])
                #expect(answer.statuses.count == 2)
                #expect(answer.body.hasPrefix("HTTP/1.1 200"), "\(answer.text)")
            }
        }
    }

    @Test func aWrongMethodIsToldWhatThePathTakes() async throws {
        try await TestServer.run { server in
            for (request, allow) in [
                ("DELETE /v1/books/7", "GET, HEAD"), ("GET /v1/ask", "POST"), ("POST /v1/runs", "GET, HEAD"),
                ("OPTIONS /v1/ask", "POST"),
            ] {
                let answer = try await server.send(["\(request) HTTP/1.1\r\n\(Self.host)Connection: close\r\n\r\n"])
                #expect(answer.statuses == [405])
                #expect(answer.has("allow: \(allow)"), "\(answer.text)")
            }
        }
    }

    @Test func aBodyThatIsNotJSONByItsNameIsRefused() async throws {
        try await TestServer.run { server in
            let head = "POST /v1/ask HTTP/1.1\r\n\(Self.host)Connection: close\r\nContent-Length: 2\r\n"
            for type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
                let answer = try await server.send(["\(head)Content-Type: \(type)\r\n\r\n{}"])
                #expect(answer.statuses == [415], "\(answer.text)")
            }
            for type in ["application/json", "Application/JSON; charset=utf-8", "application/ld+json"] {
                let answer = try await server.send(["\(head)Content-Type: \(type)\r\n\r\n{}"])
                #expect(answer.statuses == [400], "\(answer.text)")
            }
        }
    }

    @Test func aClientOfHTTP10IsAnsweredAndClosed() async throws {
        try await TestServer.run { server in
            let answer = try await server.send(["GET /livez HTTP/1.0\r\n\r\n"])
            #expect(answer.text.hasPrefix("HTTP/1.0 200"))
            #expect(answer.body == "ok\n")
        }
    }

    @Test func aClientThatAsksFirstIsToldToSendItsBody() async throws {
        try await TestServer.run { server in
            let head = "POST /v1/ask HTTP/1.1\r\n\(Self.host)Connection: close\r\nExpect: 100-continue\r\n"
            let small = try await server.send(["\(head)Content-Length: 2\r\n\r\n", "{}"])
            #expect(small.statuses == [100, 400], "\(small.text)")
            let large = try await server.send(["\(head)Content-Length: 99999999\r\n\r\n"])
            #expect(large.statuses == [413], "\(large.text)")
        }
    }

    @Test func behindARequestForAnotherProtocolNothingIsKept() async throws {
        try await TestServer.run { server in
            let upgrade = "\(Self.get)Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n"
            let answer = try await server.send([upgrade, String(repeating: "x", count: 100_000)])
            #expect(answer.statuses == [404], "\(answer.text)")
            #expect(answer.has("connection: close"))
        }
    }
}
