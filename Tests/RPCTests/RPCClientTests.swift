import Contract
import FoundationEssentials
import NIOCore
import RPC
import ServiceLifecycle
import Synchronization
import Testing
import Wire

@Suite(.serialized) struct RPCClientTests {
    @Test func aCallIsAnswered() async throws {
        try await withServer { server in
            try await running(server.client()) { client in
                let answer1 = try await client.perform(Echo(text: "hé"))
                #expect(answer1 == Echo(text: "hé"))
                let answer2 = try await client.json(Echo(text: "a")).description
                #expect(answer2 == #"{"text":"a"}"#)
                let error = await failure { try await client.perform(Fail(defect: false)) }
                #expect(error == ServiceError(.notFound, "No such thing.", details: JSON(trusted: #"{"a":1}"#)))
                #expect(await failure { try await client.perform(AdminOnly()) }?.code == .permissionDenied)
                #expect(await failure { try await client.perform(Hold()) }?.code == .unimplemented)
            }
        }
    }

    @Test func aThousandCallsAtOnceAreAllAnsweredOverOneConnection() async throws {
        let connections = Mutex<Set<ConnectionID>>([])
        var operations = Operations.test()
        let gauge = Gauge()
        operations.on(Hold.self) { _, context in
            connections.withLock { _ = $0.insert(context.connection) }
            gauge.enter()
            defer { gauge.leave() }
            await Task.yield()
            return Done()
        }
        try await withServer(operations) { server in
            try await running(server.client()) { client in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<1000 {
                        // Each handler goes behind all that other tests wait for, in its turn.
                        group.addTask { _ = try await client.perform(Hold(number: number), deadline: .seconds(240)) }
                    }
                    try await group.waitForAll()
                }
            }
        }
        #expect(gauge.total == 1000 && gauge.most <= 64)
        #expect(connections.withLock(\.count) == 1)
    }

    @Test func oneMoreThanMayWaitIsRefusedAtOnce() async throws {
        var limits = Limits.unhurried
        limits.callsWaiting = 3
        try await withFolder { folder in
            // It does not run: calls only wait.
            let client = RPCClient(path: "\(folder)/s", role: .gateway, name: "test", limits: limits, logger: quiet)
            await withTaskGroup(of: ErrorCode?.self) { group in
                for number in 0..<4 {
                    group.addTask { await failure { try await client.perform(Hold(number: number)) }?.code }
                }
                #expect(await group.next() == .resourceExhausted)
                group.cancelAll()
                for await code in group { #expect(code == .cancelled) }
            }
        }
    }

    @Test func cancellingThrowsAtOnceAndReachesTheHandler() async throws {
        let (started, ended) = (Gate(), Gate())
        var operations = Operations.test()
        operations.on(Hold.self) { _, _ in
            started.open()
            defer { ended.open() }
            try await Task.sleep(for: .seconds(3600))
            return Done()
        }
        try await withServer(operations) { server in
            try await running(server.client()) { client in
                let call = Task { await failure { try await client.perform(Hold()) } }
                try await started.pass()
                call.cancel()
                #expect(await call.value == .cancelled())
                try await ended.pass()
                // Before it began, too.
                let late = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    return await failure { try await client.perform(Echo(text: "")) }
                }
                #expect(await late.value == .cancelled())
            }
        }
    }

    @Test func aDeadlineSaysWhetherTheCallWasWritten() async throws {
        try await withFolder { folder in
            let silent = try InheritedSocket(path: "\(folder)/silent.sock")
            try await running(RPCClient(path: silent.path, role: .gateway, name: "silent", logger: quiet)) { client in
                let error = await failure { try await client.perform(Echo(text: ""), deadline: .milliseconds(30)) }
                #expect(error?.code == .deadlineExceeded && error?.retry == .safe)
            }
            let heard = Mutex<[Message]>([])
            let deaf = try await ScriptedService.listen("\(folder)/deaf.sock") { message in
                heard.withLock { $0.append(message) }
                return switch message {
                case .hello: [ScriptedService.hello]
                case .call(let call) where call.operation == Echo.name: [#"{"id":1,"result":{"text":""}}"#]
                default: []
                }
            }
            try await running(RPCClient(path: "\(folder)/deaf.sock", role: .gateway, name: "deaf", logger: quiet)) {
                client in
                _ = try await client.perform(Echo(text: ""))
                // Long enough to be written on a busy machine too.
                let error = await failure { try await client.perform(Hold(), deadline: .seconds(2)) }
                #expect(error?.code == .deadlineExceeded && error?.retry == .sameKey)
                try await eventually { heard.withLock { $0.contains(.cancel(id: 2, reason: "deadline")) } }
            }
            try await deaf.close()
        }
    }

    @Test func whatCannotBeSentIsRefusedHere() async throws {
        try await withServer { server in
            try await running(server.client()) { client in
                let large = Echo(text: String(repeating: "x", count: 1_048_576))
                #expect(await failure { try await client.perform(large) }?.code == .invalidArgument)
                let answer5 = try await client.perform(Echo(text: "still there")).text
                #expect(answer5 == "still there")
            }
        }
    }

    @Test(arguments: ["", String(repeating: "k", count: 129), "a\0b"])
    func aKeyThatMayNotTravelIsRefusedHere(key: String) async throws {
        try await withServer { server in
            try await running(server.client()) { client in
                let error = await failure { try await client.perform(Echo(text: ""), idempotencyKey: key) }
                #expect(error?.code == .invalidArgument)
            }
        }
    }

    /// Postgres holds no U+0000: what a model or a program said with one is not lost because of it.
    @Test func aCharacterThatMayNotTravelIsReplaced() async throws {
        try await withServer { server in
            try await running(server.client()) { client in
                let answer = try await client.perform(Echo(text: "a\0b")).text
                #expect(answer == "a\u{FFFD}b")
            }
        }
    }

    @Test func anAnswerThatIsNotTheContractsIsADefect() async throws {
        var operations = Operations(service: "test", version: "0")
        operations.onJSON(Echo.self) { _, _ in JSON(trusted: "7") }
        try await withServer(operations) { server in
            try await running(server.client()) { client in
                #expect(await failure { try await client.perform(Echo(text: "")) }?.code == .internal)
                let answer = try await client.json(Echo(text: "")).integer
                #expect(answer == 7)
            }
        }
    }

    @Test func aClosingClientFinishesWhatIsInFlightAndTakesNoMore() async throws {
        let (started, release) = (Gate(), Gate())
        var operations = Operations.test()
        operations.on(Hold.self) { _, _ in
            started.open()
            try await release.pass()
            return Done()
        }
        try await withServer(operations) { server in
            let client = server.client()
            let group = ServiceGroup(services: [client], logger: quiet)
            async let running: Void = group.run()
            async let held = client.perform(Hold())
            try await started.pass()
            await group.triggerGracefulShutdown()
            try await eventually { await failure { try await client.perform(Echo(text: "")) }?.code == .unavailable }
            release.open()
            let done = try await held
            #expect(done == Done())
            try await running
        }
    }

    @Test func oneShotsNeedNoService() async throws {
        try await withServer { server in
            let health = try await RPCClient.withConnection(path: server.admin, role: .admin, name: "test") { client in
                try await client.perform(GetHealth())
            }
            #expect(health.service == "test")
        }
    }

    @Test func furtherCallsGetWhatRemains() async throws {
        try await withServer { inner in
            try await running(inner.client()) { client in
                var operations = Operations.test()
                operations.on(Hold.self) { _, context in
                    _ = try await client.perform(Echo(text: ""), within: context)
                    return Done()
                }
                try await withServer(operations) { outer in
                    let done = try await running(outer.client()) { try await $0.perform(Hold()) }
                    #expect(done == Done())
                }
            }
        }
    }
}
