import Contract
import NIOCore
import RPC
import Synchronization
import Testing
import Wire

/// What a peer may cost a server.
@Suite(.serialized) struct RPCServerLimitTests {
    @Test func oneCallTooManyIsRefusedAtOnce() async throws {
        try await withServer { server in
            let peer = try await RawPeer.greeted(server.gateway)
            for id in 1...65 { try await peer.say(#"{"id":\#(id),"call":"test.wait","stream":1}"#) }
            guard case .error(65, let error) = try await peer.terminal(of: 65) else {
                Issue.record("not refused")
                return
            }
            #expect(error.code == .resourceExhausted)
            #expect(error.retry == .safe)
            #expect(try await server.health().member("in_flight")?.integer == 64)
            peer.close()
        }
    }

    @Test func theProcessHasALimitOfItsOwn() async throws {
        var limits = Limits.unhurried
        limits.callsInFlightInProcess = 2
        try await withServer(limits: limits) { server in
            let (one, other) = (try await RawPeer.greeted(server.gateway), try await RawPeer.greeted(server.gateway))
            for id in 1...2 { try await one.say(#"{"id":\#(id),"call":"test.wait","stream":1}"#) }
            try await one.say(#"{"ping":1}"#)
            #expect(await one.heard() == #"{"pong":1}"#)
            try await other.say(#"{"id":1,"call":"test.echo","arguments":{"text":"a"}}"#)
            guard case .error(_, let error) = try await other.terminal(of: 1) else {
                Issue.record("not refused")
                return
            }
            #expect(error.code == .resourceExhausted)
            one.close()
            // A closed connection gives its places back.
            try await eventually { try await server.health().member("in_flight")?.integer == 0 }
            try await other.say(#"{"id":2,"call":"test.echo","arguments":{"text":"a"}}"#)
            #expect(try await other.terminal(of: 2) == .result(id: 2, JSON(trusted: #"{"text":"a"}"#)))
            other.close()
        }
    }

    @Test func aStormOfCancelledCallsNeverHasMoreThan64InFlight() async throws {
        let gauge = Gauge()
        var operations = Operations.test()
        operations.on(Hold.self) { _, _ in
            gauge.enter()
            defer { gauge.leave() }
            try await Task.sleep(for: .seconds(3600))
            return Done()
        }
        try await withServer(operations) { server in
            let peer = try await RawPeer.greeted(server.gateway)
            async let terminals = {
                var seen: [Int: Int] = [:]
                while seen.count < 10_000, let payload = await peer.heard() {
                    guard case .error(let id?, let error) = try Message(decoding: ByteBuffer(string: payload)) else {
                        Issue.record("not an error: \(payload)")
                        continue
                    }
                    #expect(error.code == .cancelled || error.code == .resourceExhausted)
                    seen[id, default: 0] += 1
                }
                return seen
            }()
            for start in stride(from: 1, to: 10_000, by: 100) {
                var octets = ByteBuffer()
                for id in start..<start + 100 {
                    for payload in [#"{"id":\#(id),"call":"test.hold"}"#, #"{"id":\#(id),"cancel":"x"}"#] {
                        octets.writeString("\(payload.utf8.count) \(payload)\n")
                    }
                }
                try await peer.write(octets)
            }
            let seen = try await terminals
            #expect(seen.count == 10_000 && seen.values.allSatisfy { $0 == 1 })
            #expect(gauge.most <= 64)
            #expect(try await server.health().member("in_flight")?.integer == 0)
            peer.close()
        }
    }

    @Test func aReaderThatDoesNotReadGetsNoMoreThanItsQueueAndIsCut() async throws {
        var limits = Limits.unhurried
        limits.stall = .milliseconds(300)
        let gone = Gate()
        let gauge = Gauge()
        var operations = Operations.test()
        operations.onJSON(Hold.self) { _, _ in
            gauge.enter()
            return JSON(trusted: "\"" + String(repeating: "x", count: 512 << 10) + "\"")
        }
        try await withServer(operations, limits: limits, onDisconnect: { _ in gone.open() }) { server in
            let peer = try await RawPeer.connect(server.gateway, reading: false)
            try await peer.say(RawPeer.hello)
            // It may be cut before it has said all this.
            for id in 1...1000 { try? await peer.say(#"{"id":\#(id),"call":"test.hold"}"#) }
            try await gone.pass()
            // What was in flight when the queue was full, and the queue itself.
            #expect(gauge.total <= 64 + (4 << 20) / (512 << 10) + 8)
            peer.close()
        }
    }

    @Test func aStreamToAReaderThatDoesNotReadIsBoundedByTheQueue() async throws {
        var limits = Limits.unhurried
        limits.stall = .milliseconds(300)
        let (gone, sent) = (Gate(), Gauge())
        var operations = Operations.test()
        operations.onStream(Flood.self) { _, _, writer in
            while true {
                try await writer.send(json: JSON(trusted: "\"" + String(repeating: "x", count: 256 << 10) + "\""))
                sent.enter()
            }
        }
        try await withServer(operations, limits: limits, onDisconnect: { _ in gone.open() }) { server in
            let peer = try await RawPeer.connect(server.gateway, reading: false)
            try await peer.say(RawPeer.hello)
            try await peer.say(#"{"id":1,"call":"test.flood","stream":256}"#)
            try await gone.pass()
            #expect(sent.total <= (4 << 20) / (256 << 10) + 8)
            peer.close()
        }
    }

    @Test func aSlowSenderIsCutAndOthersAreNot() async throws {
        var limits = Limits.unhurried
        limits.frameTime = .milliseconds(50)
        try await withServer(limits: limits) { server in
            let slow = try await RawPeer.greeted(server.gateway)
            try await slow.write(ByteBuffer(string: "10 {\"pi"))
            #expect(await slow.heard()?.contains("frame_too_slow") == true)
            #expect(await slow.heard() == nil)
            slow.close()
        }
    }

    @Test func helloMustComeInTime() async throws {
        var limits = Limits.unhurried
        limits.helloTime = .milliseconds(50)
        try await withServer(limits: limits) { server in
            let peer = try await RawPeer.connect(server.gateway)
            #expect(await peer.heard()?.contains("hello_late") == true)
            #expect(await peer.heard() == nil)
            peer.close()
        }
    }

    @Test func aQuietPeerIsAsked() async throws {
        var limits = Limits.unhurried
        limits.quietBeforePing = .milliseconds(30)
        try await withServer(limits: limits) { server in
            let peer = try await RawPeer.connect(server.admin)
            #expect(await peer.heard() == #"{"ping":0}"#)
            try await peer.say(#"{"pong":0}"#)
            #expect(await peer.heard() == #"{"ping":0}"#)
            peer.close()
        }
    }

    @Test func aSilentPeerIsClosed() async throws {
        var limits = Limits.unhurried
        limits.quietBeforePing = .milliseconds(30)
        limits.quietBeforeClose = .milliseconds(50)
        try await withServer(limits: limits) { server in
            let peer = try await RawPeer.connect(server.admin)
            while let question = await peer.heard() { #expect(question == #"{"ping":0}"#) }
            peer.close()
        }
    }

    @Test func connectionsBeyondTheLimitAreToldAndClosed() async throws {
        var limits = Limits.unhurried
        limits.connections = 2
        try await withServer(limits: limits) { server in
            let (one, two) = (try await RawPeer.greeted(server.gateway), try await RawPeer.greeted(server.gateway))
            let three = try await RawPeer.connect(server.gateway)
            #expect(await three.heard()?.contains("resource_exhausted") == true)
            #expect(await three.heard() == nil)
            // The admin socket is counted by itself, and a place that was given back is free.
            _ = try await server.health()
            one.close()
            try await eventually {
                let peer = try await RawPeer.connect(server.gateway)
                defer { peer.close() }
                try? await peer.say(RawPeer.hello)
                return await peer.heard()?.contains("hello") == true
            }
            two.close()
            three.close()
        }
    }

    private struct Flood: StreamingOperation {
        static let name = "test.flood"
        static let callers: Set<Role> = [.gateway]
        typealias Item = String
        typealias Result = Done
    }
}
