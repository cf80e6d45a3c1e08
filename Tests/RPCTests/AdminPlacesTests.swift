import Contract
import NIOCore
import RPC
import Testing
import Wire

/// An admin socket is never full for somebody who asks how the service is.
@Suite(.serialized) struct AdminPlacesTests {
    private static let few: Limits = {
        var limits = Limits.unhurried
        limits.connections = 3
        return limits
    }()

    @Test func idleConnectionsGiveTheirPlacesTheMostSilentFirst() async throws {
        try await withServer(limits: Self.few) { server in
            var peers: [RawPeer] = []
            for _ in 0..<3 {
                let peer = try await RawPeer.connect(server.admin)
                try await peer.say(#"{"ping":1}"#)
                #expect(await peer.heard() == #"{"pong":1}"#)
                peers.append(peer)
            }
            try await peers[0].say(#"{"ping":2}"#)
            #expect(await peers[0].heard() == #"{"pong":2}"#)
            #expect(try await server.health().member("live") != nil)
            #expect(await peers[1].heard()?.contains(#"{"goaway":"#) == true)
            #expect(await peers[1].heard() == nil)
            try await peers[0].say(#"{"ping":3}"#)
            #expect(await peers[0].heard() == #"{"pong":3}"#)
            for peer in peers { peer.close() }
        }
    }

    @Test func halfAFrameHoldsNoPlace() async throws {
        try await withServer(limits: Self.few) { server in
            var peers: [RawPeer] = []
            for _ in 0..<20 {
                let peer = try await RawPeer.connect(server.admin)
                try await peer.write(ByteBuffer(string: "24 {\"id\":1,"))
                peers.append(peer)
            }
            #expect(try await server.health().member("live") != nil)
            for peer in peers { peer.close() }
        }
    }

    @Test func whileAllAreAtWorkOthersMayAskForHealthAndForNothingElse() async throws {
        let (gate, gauge) = (Gate(), Gauge())
        var operations = Operations.test()
        operations.on(AdminHold.self) { _, _ in
            gauge.enter()
            try await gate.pass()
            return Done()
        }
        try await withServer(operations, limits: Self.few) { server in
            var workers: [RawPeer] = []
            for _ in 0..<3 {
                let peer = try await RawPeer.connect(server.admin)
                try await peer.say(#"{"id":1,"call":"test.admin-hold"}"#)
                workers.append(peer)
            }
            try await eventually { gauge.inside == 3 }
            var lookers: [RawPeer] = []
            for _ in 0..<20 { lookers.append(try await RawPeer.connect(server.admin)) }
            let late = try #require(lookers.last)
            try await late.say(#"{"id":1,"call":"test.admin-hold"}"#)
            guard case .error(1, let error) = try await late.terminal(of: 1) else {
                Issue.record("not refused")
                return
            }
            #expect(error.code == .resourceExhausted)
            try await late.say(#"{"id":2,"call":"health"}"#)
            #expect(await late.heard()?.contains(#""in_flight":3"#) == true)
            gate.open()
            for worker in workers { #expect(try await worker.terminal(of: 1) == .result(id: 1, JSON(trusted: "{}"))) }
            try await late.say(#"{"id":3,"call":"test.echo","arguments":{"text":"a"}}"#)
            #expect(try await late.terminal(of: 3) == .result(id: 3, JSON(trusted: #"{"text":"a"}"#)))
            for peer in workers + lookers { peer.close() }
        }
    }

    @Test func streamsThatWaitForThingsToComeAreNotWork() async throws {
        var operations = Operations.test()
        operations.onStream(Stand.self, standing: true) { _, _, _ in
            try await Task.sleep(for: .seconds(3600))
            return Done()
        }
        try await withServer(operations) { server in
            let peer = try await RawPeer.greeted(server.gateway)
            try await peer.say([
                #"{"id":1,"call":"test.stand","stream":1}"#, #"{"id":2,"call":"test.wait","stream":1}"#,
            ])
            try await peer.say(#"{"ping":1}"#)
            #expect(await peer.heard() == #"{"pong":1}"#)
            #expect(try await server.health().member("in_flight")?.integer == 1)
            peer.close()
            try await eventually { try await server.health().member("in_flight")?.integer == 0 }
        }
    }

    private struct AdminHold: Operation {
        static let name = "test.admin-hold"
        static let callers: Set<Role> = [.admin]
        typealias Result = Done
    }

    private struct Stand: StreamingOperation {
        static let name = "test.stand"
        static let callers: Set<Role> = [.gateway]
        typealias Item = Int
        typealias Result = Done
    }
}
