import Contract
import FoundationEssentials
import Glibc
import NIOCore
import NIOPosix
import RPC
import ServiceLifecycle
import Synchronization
import Testing
import Wire

@Suite(.serialized) struct RPCServerTests {
    @Test func aFullCloseCancelsWhatIsInFlight() async throws {
        let (started, cancelled, gone) = (Gate(), Gate(), Gate())
        var operations = Operations.test()
        operations.on(Hold.self) { _, _ in
            started.open()
            do {
                try await Task.sleep(for: .seconds(3600))
            } catch {
                cancelled.open()
                throw error
            }
            return Done()
        }
        try await withServer(operations, onDisconnect: { _ in gone.open() }) { server in
            let peer = try await RawPeer.greeted(server.gateway)
            try await peer.say(#"{"id":1,"call":"test.hold"}"#)
            try await started.pass()
            peer.close()
            try await cancelled.pass()
            try await gone.pass()
            try await eventually { try await server.health().member("in_flight")?.integer == 0 }
        }
    }

    @Test func goawayFinishesWhatIsInFlightAndRefusesTheRest() async throws {
        let (started, release) = (Gate(), Gate())
        var operations = Operations.test()
        operations.on(Hold.self) { _, _ in
            started.open()
            try await release.pass()
            return Done()
        }
        try await withServer(operations) { server in
            let peer = try await RawPeer.greeted(server.gateway)
            try await peer.say(#"{"id":3,"call":"test.hold"}"#)
            try await started.pass()
            await server.stop()
            #expect(
                await peer.heard()
                    == #"{"goaway":{"last":3,"reason":"The service is stopping.","grace_ms":20000}}"#
            )
            try await peer.say(#"{"id":4,"call":"test.echo","arguments":{"text":"a"}}"#)
            guard case .error(_, let error) = try await peer.terminal(of: 4) else {
                Issue.record("not refused")
                return
            }
            #expect(error.code == .unavailable && error.retry == .safe)
            release.open()
            #expect(await peer.heard() == #"{"id":3,"result":{}}"#)
            #expect(await peer.heard() == nil)
            peer.close()
        }
    }

    @Test func aStandingStreamDoesNotHoldTheStop() async throws {
        var operations = Operations(service: "test", version: "0")
        operations.onStream(Wait.self, standing: true) { _, _, writer in
            try await writer.send(0)
            try await Task.sleep(for: .seconds(3600))
            return Done()
        }
        try await withServer(operations) { server in
            let peer = try await RawPeer.greeted(server.gateway)
            try await peer.say(#"{"id":1,"call":"test.wait","stream":1}"#)
            #expect(await peer.heard() == #"{"id":1,"item":0,"sequence":0}"#)
            await server.stop()
            #expect(try await peer.terminal(of: 1) == .error(id: 1, .unavailable("The service is stopping.")))
            #expect(await peer.heard() == nil)
            peer.close()
        }
    }

    @Test func afterTheGraceWhatStillRunsIsCancelled() async throws {
        var limits = Limits.unhurried
        limits.grace = .milliseconds(50)
        try await withServer(limits: limits) { server in
            let peer = try await RawPeer.greeted(server.gateway)
            try await peer.say(#"{"id":1,"call":"test.wait","stream":1}"#)
            try await peer.say(#"{"ping":1}"#)
            #expect(await peer.heard() == #"{"pong":1}"#)
            await server.stop()
            // Closed without a terminal, which is how a full close is told from an answer.
            while let payload = await peer.heard() { #expect(payload.contains("goaway")) }
            peer.close()
        }
    }

    @Test func anInheritedSocketOutlivesTheServer() async throws {
        try await withFolder { folder in
            let socket = try InheritedSocket(path: "\(folder)/s.sock")
            let listener = RPCListener(role: .gateway, address: .descriptor(socket.descriptor))
            for _ in 1...2 {
                let server = RPCServer([listener], operations: .test(), logger: quiet)
                let group = ServiceGroup(services: [server], logger: quiet)
                async let running: Void = group.run()
                let peer = try await RawPeer.greeted(socket.path)
                peer.close()
                await group.triggerGracefulShutdown()
                try await running
                #expect(access(socket.path, F_OK) == 0)
            }
        }
    }

    @Test func aSocketOfItsOwnIsRemovedAndOneLeftBehindReplaced() async throws {
        try await withFolder { folder in
            let path = "\(folder)/s.sock"
            do { _ = try InheritedSocket(path: path) }
            #expect(access(path, F_OK) == 0)
            let server = RPCServer([.init(role: .gateway, address: .path(path))], operations: .test(), logger: quiet)
            let group = ServiceGroup(services: [server], logger: quiet)
            async let running: Void = group.run()
            try await eventually {
                guard let peer = try? await RawPeer.connect(path) else { return false }
                defer { peer.close() }
                try await peer.say(RawPeer.hello)
                return await peer.heard() != nil
            }
            await group.triggerGracefulShutdown()
            try await running
            #expect(access(path, F_OK) != 0)
        }
    }

    @Test func aSocketThatCannotBeMadeIsAnError() async throws {
        let server = RPCServer(
            [.init(role: .gateway, address: .path("/nonexistent/s.sock"))],
            operations: .test(),
            logger: quiet
        )
        await #expect(throws: (any Error).self) { try await server.run() }
    }

    @Test func aDefectIsToldWithoutItsText() async throws {
        try await withServer { server in
            let peer = try await RawPeer.greeted(server.gateway)
            let trace = "0af7651916cd43dd8448eb211c80319c"
            try await peer.say(
                #"{"id":1,"call":"test.fail","arguments":{"defect":true},"traceparent":"00-\#(trace)-b7ad6b7169203331-01"}"#
            )
            guard case .error(_, let error) = try await peer.terminal(of: 1) else {
                Issue.record("no error")
                return
            }
            #expect(error == .internal("A defect; the trace id is \(trace)."))
            peer.close()
        }
    }

    @Test(arguments: [
        (#"{"text":1}"#, "test.echo: arguments.text must be a string."),
        (#"{"text":null}"#, "test.echo: arguments.text is null."),
        (#"{}"#, "test.echo: arguments.text is missing."),
    ])
    func argumentsThatDoNotFitAreNamed(_ arguments: String, _ sentence: String) async throws {
        try await withServer { server in
            let peer = try await RawPeer.greeted(server.gateway)
            try await peer.say(#"{"id":1,"call":"test.echo","arguments":\#(arguments)}"#)
            #expect(try await peer.terminal(of: 1) == .error(id: 1, .invalidArgument(sentence)))
            peer.close()
        }
    }

    @Test func anAnswerLargerThanTheCallersFrameIsAnError() async throws {
        try await withServer { server in
            let peer = try await RawPeer.connect(server.gateway)
            try await peer.say(
                #"{"hello":{"protocol":{"minimum":1,"maximum":1},"role":"gateway","limits":{"frame_bytes":4096}}}"#
            )
            try await peer.say(#"{"id":1,"call":"test.large","arguments":{"bytes":5000}}"#)
            guard case .error(_, let error) = try await peer.terminal(of: 1) else {
                Issue.record("no error")
                return
            }
            #expect(error.code == .resourceExhausted && error.retry == .no)
            try await peer.say(#"{"id":2,"call":"test.large","arguments":{"bytes":4000}}"#)
            guard case .result = try await peer.terminal(of: 2) else {
                Issue.record("no result")
                return
            }
            peer.close()
        }
    }

    @Test func aBriefOperationRunsOnTheEventLoopUnlessItsArgumentsAreLarge() async throws {
        var operations = Operations.test()
        operations.on(Hold.self) { _, _ in
            await Task.yield()
            if MultiThreadedEventLoopGroup.currentEventLoop != nil { throw ServiceError.notFound("On it.") }
            return Done()
        }
        operations.runOnEventLoop(Hold.self)
        try await withServer(operations) { server in
            let peer = try await RawPeer.greeted(server.gateway)
            try await peer.say(#"{"id":1,"call":"test.hold"}"#)
            #expect(try await peer.terminal(of: 1) == .error(id: 1, .notFound("On it.")))
            let large = String(repeating: "x", count: 10_000)
            try await peer.say(#"{"id":2,"call":"test.hold","arguments":{"unknown":"\#(large)"}}"#)
            #expect(try await peer.terminal(of: 2) == .result(id: 2, .emptyObject))
            peer.close()
        }
    }

    @Test func theHandlerKnowsItsCall() async throws {
        let seen = Mutex<CallContext?>(nil)
        var operations = Operations.test()
        operations.on(Hold.self) { _, context in
            seen.withLock { $0 = context }
            return Done()
        }
        try await withServer(operations) { server in
            let peer = try await RawPeer.greeted(server.gateway)
            let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            try await peer.say(
                #"{"id":1,"call":"test.hold","deadline_ms":9999999999,"idempotency_key":"k","traceparent":"\#(trace)"}"#
            )
            _ = try await peer.terminal(of: 1)
            let context = try #require(seen.withLock { $0 })
            #expect(context.role == .gateway && context.operation == "test.hold" && context.idempotencyKey == "k")
            #expect(context.traceparent.traceID == "0af7651916cd43dd8448eb211c80319c")
            // No span of its own is kept, so what it calls belongs to its caller's.
            #expect(context.traceparent.spanID == "b7ad6b7169203331" && context.callerTraceparent?.description == trace)
            #expect(context.remaining <= .seconds(600))
            #expect(context.peer?.pid == getpid() && context.peer?.uid == getuid())
            peer.close()
        }
    }

    @Test func everyRoleMayAskWhatThereIs() async throws {
        try await withServer { server in
            let peer = try await RawPeer.greeted(server.gateway)
            try await peer.say(#"{"id":1,"call":"describe"}"#)
            guard case .result(_, let json) = try await peer.terminal(of: 1) else {
                Issue.record("no result")
                return
            }
            let description = try json.decode(Description.self)
            #expect(description.protocolVersions == [1, 1])
            #expect(
                description.operations.map(\.name).prefix(8) == [
                    "health", "describe", "stats", "connections", "calls", "drain", "resume", "test.admin",
                ]
            )
            #expect(description.operations.first { $0.name == "test.count" }?.streams == true)
            peer.close()
        }
    }

    @Test func healthTellsWhatTheServiceReads() async throws {
        var operations = Operations.test()
        operations.health {
            ServiceCondition(reasons: ["no database"], warnings: ["it is slow"], gauges: ["pool.idle": 3])
        }
        try await withServer(operations) { server in
            let health = try await server.health().decode(Health.self)
            #expect(health.service == "test" && health.live && !health.ready && health.reasons == ["no database"])
            #expect(health.warnings == ["it is slow"])
            #expect(health.gauges["pool.idle"] == 3 && health.gauges["violations"] == 0)
            #expect(health.connections >= 1)
        }
    }
}
