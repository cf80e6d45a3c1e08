import Testing

@testable import Gateway

/// Requests torn, cut and changed at random: each connection ends, with answers that are no defect's.
@Suite(.serialized, .timeLimit(.minutes(10))) struct TornRequestTests {
    private static let requests = [
        "GET /livez HTTP/1.1\r\nHost: octavo\r\n\r\n",
        "HEAD /v1/sections/seven?x=%FF HTTP/1.1\r\nHost: octavo\r\nAccept: */*\r\n\r\n",
        "POST /v1/ask HTTP/1.1\r\nHost: octavo\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{\"question\":7}",
        "POST /v1/ask HTTP/1.1\r\nHost: octavo\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{\"quest\r\n7\r\nion\":7}\r\n0\r\nX: y\r\n\r\n",
        "GET http://octavo:80/v1/sections/x?after=1#z HTTP/1.0\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: octavo\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    ]

    @Test(arguments: 0..<8)
    func noneIsADefectOrKeepsItsConnection(seed: UInt64) async throws {
        var random = SplitMix(seed: seed)
        try await TestServer.run { server in
            for _ in 0..<60 {
                var bytes = (0..<Int.random(in: 1...3, using: &random)).flatMap { _ in
                    Array((Self.requests.randomElement(using: &random) ?? "").utf8)
                }
                Self.change(&bytes, &random)
                let answer = try await server.send(Self.tear(bytes, &random), ends: true)
                let known: Set = [200, 400, 404, 405, 408, 413, 414, 415, 431, 503, 505]
                let said = String(decoding: bytes, as: UTF8.self)
                #expect(Set(answer.statuses).isSubset(of: known), "\(said)\n\(answer.text)")
            }
            let alive = try await server.send(["GET /livez HTTP/1.0\r\n\r\n"])
            #expect(alive.statuses == [200])
            while server.connections > 0 { try await Task.sleep(for: .milliseconds(10)) }
        }
    }

    private static func change(_ bytes: inout [UInt8], _ random: inout SplitMix) {
        for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[place] = .random(in: 0...255, using: &random)
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(bytes[place], at: place)
            case 3: bytes.removeSubrange(place..<min(bytes.count, place + 5))
            default: bytes.removeSubrange(place...)
            }
        }
    }

    private static func tear(_ bytes: [UInt8], _ random: inout SplitMix) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Int.random(in: 1...min(rest.count, 60), using: &random)
            pieces.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return pieces
    }
}

/// The same changes for the same seed.
private struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
