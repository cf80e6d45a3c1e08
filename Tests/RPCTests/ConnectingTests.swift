import Contract
import NIOCore
import RPC
import ServiceLifecycle
import Synchronization
import Testing
import Wire

/// How a client comes by its connection, and what becomes of calls when it goes.
@Suite(.serialized) struct ConnectingTests {
    @Test func callsWaitForTheClientToRunAndForTheServerToBeThere() async throws {
        try await withFolder { folder in
            let path = "\(folder)/s.sock"
            var limits = Limits.unhurried
            limits.patience = .seconds(30)
            let client = RPCClient(path: path, role: .gateway, name: "test", limits: limits, logger: quiet)
            let early = Task { try await client.perform(Echo(text: "early")) }
            try await running(client) { client in
                try await Task.sleep(for: .milliseconds(30))
                let server = RPCServer(
                    [.init(role: .gateway, address: .path(path))],
                    operations: .test(),
                    logger: quiet
                )
                let group = ServiceGroup(services: [server], logger: quiet)
                async let running: Void = group.run()
                let echo = try await early.value
                #expect(echo.text == "early")
                await group.triggerGracefulShutdown()
                try await running
            }
        }
    }

    @Test func anOutageFailsAtOnceAndIsForgottenWhenItEnds() async throws {
        var limits = Limits.unhurried
        limits.patience = .milliseconds(50)
        try await withFolder { folder in
            let path = "\(folder)/s.sock"
            try await running(RPCClient(path: path, role: .gateway, name: "test", limits: limits, logger: quiet)) {
                client in
                let error = try #require(await failure { try await client.perform(Echo(text: "")) })
                #expect(error.code == .unavailable && error.retry == .safe && error.afterMilliseconds != nil)
                #expect(error.message.contains("No such file") && !error.message.contains(path))
                let server = RPCServer(
                    [.init(role: .gateway, address: .path(path))],
                    operations: .test(),
                    logger: quiet
                )
                let group = ServiceGroup(services: [server], logger: quiet)
                async let running: Void = group.run()
                try await eventually { await failure { try await client.perform(Echo(text: "")) } == nil }
                await group.triggerGracefulShutdown()
                try await running
            }
        }
    }

    @Test func aFullBacklogIsWaitedFor() async throws {
        try await withFolder { folder in
            let socket = try InheritedSocket(path: "\(folder)/s.sock", backlog: 0)
            // Takes the backlog's only place.
            let first = try await RawPeer.connect(socket.path)
            var limits = Limits.unhurried
            limits.patience = .milliseconds(1)
            let client = RPCClient(path: socket.path, role: .gateway, name: "test", limits: limits, logger: quiet)
            try await running(client) { client in
                let early = await failure { try await client.perform(Echo(text: ""), deadline: .milliseconds(100)) }
                #expect(early?.code == .deadlineExceeded && early?.retry == .safe)
                async let answer = client.perform(Echo(text: "a"))
                let listener = RPCListener(role: .gateway, address: .descriptor(socket.descriptor))
                let group = ServiceGroup(
                    services: [RPCServer([listener], operations: .test(), logger: quiet)],
                    logger: quiet
                )
                async let running: Void = group.run()
                let echo = try await answer
                #expect(echo.text == "a")
                first.close()
                await group.triggerGracefulShutdown()
                try await running
            }
        }
    }

    @Test func aBrokenConnectionAnswersWhatIsInFlightAndIsMadeAgain() async throws {
        try await withFolder { folder in
            let service = try await ScriptedService.listen("\(folder)/s.sock") { message in
                switch message {
                case .hello: [ScriptedService.hello]
                case .call(let call) where call.operation == Hold.name: ["close"]
                case .call(let call): [#"{"id":\#(call.id),"result":{"text":"again"}}"#]
                default: []
                }
            }
            try await running(RPCClient(path: "\(folder)/s.sock", role: .gateway, name: "test", logger: quiet)) {
                client in
                for _ in 1...3 {
                    let error = await failure { try await client.perform(Hold()) }
                    #expect(error?.code == .unavailable && error?.retry == .sameKey)
                    let answer3 = try await client.perform(Echo(text: "")).text
                    #expect(answer3 == "again")
                }
            }
            try await service.close()
        }
    }

    @Test func goawayFinishesHereAndGoesOnElsewhere() async throws {
        let (started, release) = (Gate(), Gate())
        var operations = Operations.test()
        operations.on(Hold.self) { _, _ in
            started.open()
            try await release.pass()
            return Done()
        }
        try await withFolder { folder in
            let socket = try InheritedSocket(path: "\(folder)/s.sock")
            let listener = RPCListener(role: .gateway, address: .descriptor(socket.descriptor))
            let old = ServiceGroup(
                services: [RPCServer([listener], operations: operations, logger: quiet)],
                logger: quiet
            )
            let new = ServiceGroup(services: [RPCServer([listener], operations: .test(), logger: quiet)], logger: quiet)
            try await running(RPCClient(path: socket.path, role: .gateway, name: "test", logger: quiet)) { client in
                async let oldRun: Void = old.run()
                async let held = client.perform(Hold())
                try await started.pass()
                await old.triggerGracefulShutdown()
                async let newRun: Void = new.run()
                // Whether or not the goaway has arrived yet, these are answered: here by the new, or refused as safe.
                try await eventually { await failure { try await client.perform(Echo(text: "b")) } == nil }
                release.open()
                let done = try await held
                #expect(done == Done())
                try await oldRun
                await new.triggerGracefulShutdown()
                try await newRun
            }
        }
    }

    @Test func callsThatCrossedAGoawayAreSentAgain() async throws {
        let connections = Mutex(0)
        try await withFolder { folder in
            let service = try await ScriptedService.listen("\(folder)/s.sock") { message in
                switch message {
                case .hello: return [ScriptedService.hello]
                case .call(let call):
                    let number = connections.withLock {
                        $0 += 1; return $0
                    }
                    return number == 1 ? [#"{"goaway":{"last":0}}"#] : [#"{"id":\#(call.id),"result":{"text":"2"}}"#]
                default: return []
                }
            }
            try await running(RPCClient(path: "\(folder)/s.sock", role: .gateway, name: "test", logger: quiet)) {
                client in
                let answer4 = try await client.perform(Echo(text: "")).text
                #expect(answer4 == "2")
            }
            try await service.close()
        }
    }

    @Test(arguments: [
        #"{"hello":{"protocol":{"minimum":2,"maximum":3},"role":"x","build":""}}"#,
        #"{"error":{"code":"failed_precondition","message":"no","retry":"no"}}"#,
    ])
    func aServiceOfAnotherVersionIsUnavailable(_ answer: String) async throws {
        try await withFolder { folder in
            let service = try await ScriptedService.listen("\(folder)/s.sock") { _ in [answer, "close"] }
            try await running(RPCClient(path: "\(folder)/s.sock", role: .gateway, name: "test", logger: quiet)) {
                client in
                let error = await failure { try await client.perform(Echo(text: "")) }
                #expect(error?.code == .unavailable && error?.retry == .safe)
            }
            try await service.close()
        }
    }

    @Test(arguments: [
        #"{"id":1,"result":1}{"#, #"{"id":2,"result":1}"#, #"{"id":1,"item":1,"sequence":0}"#,
        #"{"id":1,"end":{"items":0}}"#,
        #"{"id":1,"call":"x"}"#, #"{"id":1}"#, #"{"id":1,"result":1,"result":1}"#,
    ])
    func aServiceThatBreaksTheProtocolIsLeft(_ answer: String) async throws {
        try await withFolder { folder in
            let service = try await ScriptedService.listen("\(folder)/s.sock") { message in
                if case .call = message { [answer] } else { [ScriptedService.hello] }
            }
            try await running(RPCClient(path: "\(folder)/s.sock", role: .gateway, name: "test", logger: quiet)) {
                client in
                let error = await failure { try await client.perform(Echo(text: "")) }
                #expect(error?.code == .unavailable && error?.retry == .sameKey)
            }
            try await service.close()
        }
    }
}
