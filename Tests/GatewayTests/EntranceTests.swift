import Contract
import Glibc
import Logging
import NIOCore
import Synchronization
import Testing
import Wire

@testable import Gateway

/// Who may come in, over real HTTP; storage is played by a table of keys.
@Suite(.serialized) struct EntranceTests {
    /// Answers as storage does, and counts how often it was asked.
    private final class Table: Sendable {
        private let state = Mutex((keys: [Int: KeyDigest](), asked: 0, isAway: false))

        var asked: Int { state.withLock(\.asked) }
        func add(_ key: APIKey) { state.withLock { $0.keys[key.id] = key.digest } }
        func revoke(_ key: APIKey) { state.withLock { $0.keys[key.id] = nil } }
        func leave() { state.withLock { $0.isAway = true } }

        func entrance(_ rule: Entrance.Rule) -> Entrance {
            Entrance(rule, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) {
                check throws(ServiceError) in
                let (digest, isAway) = self.state.withLock { state in
                    state.asked += 1
                    return (state.keys[check.key], state.isAway)
                }
                if isAway { throw .unavailable("Storage is away.") }
                guard digest == check.digest else { throw .unauthenticated("The key is not valid.") }
            }
        }
    }

    private func get(_ path: String, _ headers: String...) -> [String] {
        let lines = ["GET \(path) HTTP/1.1", "Host: x", "Connection: close"] + headers
        return [lines.joined(separator: "\r\n") + "\r\n\r\n"]
    }

    /// What the router answers to whom it is reached by: nothing is there.
    private let reached = 404

    @Test func onLoopbackNobodyNeedsAKey() async throws {
        let table = Table()
        try await TestServer.run(entrance: table.entrance(.beyondLoopback)) { server in
            let without = try await server.send(get("/nowhere"))
            let wrong = try await server.send(get("/nowhere", "Authorization: Bearer nonsense"))
            #expect(without.statuses == [reached] && wrong.statuses == [reached])
            #expect(table.asked == 0)
        }
    }

    @Test(.enabled(if: ownAddress != nil, "this machine has no address beyond loopback"))
    func onAnyOtherAddressEverybodyNeedsAKey() async throws {
        let table = Table()
        let key = APIKey(id: 7, APIKey.Secret())
        table.add(key)
        // On all addresses, so that one listener serves callers of both kinds.
        try await TestServer.run(entrance: table.entrance(.beyondLoopback), host: "0.0.0.0") { server in
            let beyond = try #require(Self.ownAddress)
            let refused = try await server.send(get("/nowhere"), to: beyond)
            #expect(refused.statuses == [401], "\(refused.text)")
            let admitted = try await server.send(get("/nowhere", "Authorization: Bearer \(key.text)"), to: beyond)
            #expect(admitted.statuses == [reached], "\(admitted.text)")
            let near = try await server.send(get("/nowhere"))
            #expect(near.statuses == [reached], "\(near.text)")
        }
    }

    @Test func aRefusalSaysWhatToSendAndIsAProblem() async throws {
        let table = Table()
        try await TestServer.run(entrance: table.entrance(.always)) { server in
            let missing = try await server.send(get("/nowhere"))
            #expect(missing.statuses == [401])
            #expect(missing.has(#"WWW-Authenticate: Bearer realm="octavo""#), "\(missing.text)")
            #expect(missing.has("Content-Type: application/problem+json"))
            #expect(missing.problem?.member("code")?.string == "unauthenticated")
            #expect(missing.problem?.member("detail")?.string?.contains("octavo keys create") == true)
            let key = APIKey(id: 7, APIKey.Secret())
            for header in ["Bearer \(key.text)", "Bearer nonsense"] {
                let wrong = try await server.send(get("/nowhere", "Authorization: \(header)"))
                #expect(wrong.statuses == [401])
                #expect(wrong.has(#"WWW-Authenticate: Bearer realm="octavo", error="invalid_token""#), "\(wrong.text)")
                #expect(!wrong.text.contains(key.text.suffix(43)))
            }
            table.add(key)
            for headers in [
                ["Basic \(key.text)"], ["Bearer"], [key.text], ["Bearer \(key.text)", "Bearer \(key.text)"],
            ] {
                let lines = headers.map { "Authorization: \($0)" }.joined(separator: "\r\n")
                let refused = try await server.send(get("/nowhere", lines))
                #expect(refused.statuses == [401], "\(headers.count)")
            }
            let right = try await server.send(get("/nowhere", "Authorization: bearer \(key.text)"))
            #expect(right.statuses == [reached], "\(right.text)")
        }
    }

    @Test func loadBalancersNeedNoKey() async throws {
        let table = Table()
        try await TestServer.run(entrance: table.entrance(.always)) { server in
            let paths = [("/livez", 200), ("/readyz", 200), ("/livez/", 401), ("/metrics", 401), ("/nowhere", 401)]
            for (path, status) in paths {
                let answer = try await server.send(get(path))
                #expect(answer.statuses == [status], "\(path)")
            }
        }
    }

    @Test func theConnectionOfARefusedRequestWithABodyGoesOn() async throws {
        let table = Table()
        try await TestServer.run(entrance: table.entrance(.always)) { server in
            let body = String(repeating: "x", count: 50_000)
            let first = "POST /v1/ask HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            let answer = try await server.send([first] + get("/livez"))
            #expect(answer.statuses == [401, 200], "\(answer.text)")
        }
    }

    @Test func aKeyIsAskedForOnceInAWhile() async throws {
        let table = Table()
        let key = APIKey(id: 7, APIKey.Secret())
        table.add(key)
        try await TestServer.run(entrance: table.entrance(.always)) { server in
            let requests = (0..<50).map { last in
                let end = last == 49 ? "Connection: close\r\n" : ""
                return "GET /nowhere HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(key.text)\r\n\(end)\r\n"
            }
            let answer = try await server.send([requests.joined()])
            #expect(answer.statuses == Array(repeating: reached, count: 50))
            #expect(table.asked < 10)
        }
    }

    @Test func wrongKeysFromOnePlaceAreHeldAndRightOnesGoOn() async throws {
        let table = Table()
        let key = APIKey(id: 7, APIKey.Secret())
        table.add(key)
        try await TestServer.run(entrance: table.entrance(.always)) { server in
            let right = try await server.send(get("/nowhere", "Authorization: Bearer \(key.text)"))
            #expect(right.statuses == [reached])
            let wrongs = (1...WrongKeys.mostOfThisMachine).map { number in
                let end = number == WrongKeys.mostOfThisMachine ? "Connection: close\r\n" : ""
                let key = APIKey(id: 7, APIKey.Secret()).text
                return "GET /nowhere HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(key)\r\n\(end)\r\n"
            }
            let answers = try await server.send([wrongs.joined()])
            #expect(answers.statuses == Array(repeating: 401, count: wrongs.count))
            let asked = table.asked
            let wrong = APIKey(id: 7, APIKey.Secret())
            let held = try await server.send(get("/nowhere", "Authorization: Bearer \(wrong.text)"))
            #expect(held.statuses == [429] && held.text.lowercased().contains("\r\nretry-after: "), "\(held.text)")
            #expect(table.asked == asked)
            let still = try await server.send(get("/nowhere", "Authorization: Bearer \(key.text)"))
            #expect(still.statuses == [reached])
        }
    }

    @Test func nobodyComesInBecauseStorageIsAway() async throws {
        let table = Table()
        let key = APIKey(id: 7, APIKey.Secret())
        table.add(key)
        table.leave()
        try await TestServer.run(entrance: table.entrance(.always)) { server in
            let answer = try await server.send(get("/nowhere", "Authorization: Bearer \(key.text)"))
            #expect(answer.statuses == [503] && answer.has("Retry-After: 1"), "\(answer.text)")
        }
    }

    /// An address of this machine that is not loopback.
    private static let ownAddress: String? = {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return nil }
        defer { freeifaddrs(first) }
        for interface in sequence(first: first, next: { $0?.pointee.ifa_next }) {
            guard let address = interface?.pointee.ifa_addr, address.pointee.sa_family == AF_INET else { continue }
            let octets = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                withUnsafeBytes(of: $0.pointee.sin_addr) { Array($0) }
            }
            if octets[0] != 127 { return octets.map(String.init).joined(separator: ".") }
        }
        return nil
    }()
}
