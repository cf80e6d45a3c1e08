import Testing
import Wire

@Suite(.serialized) struct ServiceMachineTests {
    private func machine(limits: Limits = .standard, hello: Bool = false) throws -> ServiceMachine {
        let introduction = Message.Hello(role: "test", build: "0", limits: .init(limits))
        var machine = ServiceMachine(
            limits: limits,
            introduction: introduction,
            requiresHello: true,
            atOnce: ["health"]
        )
        if !hello { _ = try machine.receive(greeting(), processHasRoom: true) }
        return machine
    }

    private func greeting(_ versions: ClosedRange<Int> = 1...1) -> Message {
        .hello(.init(versions: versions, role: "gateway", build: "0", limits: .init()))
    }

    private func call(_ id: CallID, _ operation: String = "test", stream: Int? = nil) -> Message {
        .call(.init(id: id, operation: operation, stream: stream))
    }

    private func refusal(_ action: ServiceMachine.Action) -> ErrorCode? {
        if case .send(.error(_, let error)) = action { error.code } else { nil }
    }

    private func reason(
        _ machine: inout ServiceMachine,
        _ message: Message
    ) -> ProtocolViolation.Reason? {
        violation { () throws(ProtocolViolation) in _ = try machine.receive(message, processHasRoom: true) }
    }

    @Test func theFrameLimitRisesWithHello() throws {
        var machine = try machine(hello: true)
        #expect(machine.frameLimit == 4096)
        guard case .greet(_, .hello) = try machine.receive(greeting(), processHasRoom: true) else {
            Issue.record("no greeting")
            return
        }
        #expect(machine.frameLimit == 1_048_576)
    }

    @Test func aFirstMessageThatIsNotHelloIsAViolation() throws {
        for message in [call(1), .ping(1), .credit(id: 1, 1), .cancel(id: 1, reason: "")] {
            var machine = try machine(hello: true)
            #expect(reason(&machine, message) == .helloExpected)
        }
    }

    @Test func helloIsSaidOnceAndFirst() throws {
        var machine = try machine()
        #expect(reason(&machine, greeting()) == .unexpectedMessage)
        var admin = ServiceMachine(
            limits: .standard,
            introduction: .init(role: "test", build: "0", limits: .init()),
            requiresHello: false,
            atOnce: []
        )
        _ = try admin.receive(call(1), processHasRoom: true)
        #expect(reason(&admin, greeting()) == .unexpectedMessage)
    }

    @Test func versionsMustOverlap() throws {
        var machine = try machine(hello: true)
        #expect(reason(&machine, greeting(2...9)) == .noCommonVersion)
        #expect(ProtocolViolation(.noCommonVersion, "").error.code == .failedPrecondition)
    }

    @Test func idsOnlyGrow() throws {
        for second in [1, 3, 4] {
            var machine = try machine()
            _ = try machine.receive(call(4), processHasRoom: true)
            #expect(reason(&machine, call(second)) == .idNotIncreasing)
        }
    }

    @Test func oneCallTooManyIsRefusedAtOnceAndTakesNoPlace() throws {
        var machine = try machine()
        for id in 1...64 {
            #expect(try machine.receive(call(id), processHasRoom: true) == .start(.init(id: id, operation: "test")))
        }
        #expect(refusal(try machine.receive(call(65), processHasRoom: true)) == .resourceExhausted)
        #expect(machine.inFlight == 64)
        machine.answered(1)
        #expect(try machine.receive(call(66), processHasRoom: true) == .start(.init(id: 66, operation: "test")))
    }

    @Test func theProcessMayBeFull() throws {
        var machine = try machine()
        #expect(refusal(try machine.receive(call(1), processHasRoom: false)) == .resourceExhausted)
        #expect(
            try machine.receive(call(2, "health"), processHasRoom: false)
                == .answerAtOnce(.init(id: 2, operation: "health"))
        )
        #expect(machine.inFlight == 0)
    }

    @Test func streamsHaveTheirOwnLimit() throws {
        var limits = Limits.standard
        limits.streamsOpen = 1
        var machine = try machine(limits: limits)
        _ = try machine.receive(call(1, stream: 1), processHasRoom: true)
        #expect(refusal(try machine.receive(call(2, stream: 1), processHasRoom: true)) == .resourceExhausted)
        #expect(machine.answered(1) == 0)
        guard case .start = try machine.receive(call(3, stream: 1), processHasRoom: true) else {
            Issue.record("the stream's place was not given back")
            return
        }
    }

    @Test func cancellingBuysNoRoom() throws {
        var machine = try machine()
        for id in 1...64 {
            _ = try machine.receive(call(id), processHasRoom: true)
            #expect(try machine.receive(.cancel(id: id, reason: ""), processHasRoom: true) == .cancel(id, reason: ""))
        }
        #expect(machine.inFlight == 64)
        #expect(refusal(try machine.receive(call(65), processHasRoom: true)) == .resourceExhausted)
    }

    @Test func whatCrossedATerminalIsIgnored() throws {
        var machine = try machine()
        _ = try machine.receive(call(1, stream: 1), processHasRoom: true)
        machine.answered(1)
        #expect(try machine.receive(.cancel(id: 1, reason: ""), processHasRoom: true) == .nothing)
        #expect(try machine.receive(.credit(id: 1, 256), processHasRoom: true) == .nothing)
        #expect(reason(&machine, .cancel(id: 2, reason: "")) == .unknownID)
        #expect(reason(&machine, .credit(id: 2, 1)) == .unknownID)
    }

    @Test func itemsSpendCredit() throws {
        var machine = try machine()
        _ = try machine.receive(call(1, stream: 2), processHasRoom: true)
        #expect([machine.nextItem(of: 1), machine.nextItem(of: 1), machine.nextItem(of: 1)] == [0, 1, nil])
        #expect(try machine.receive(.credit(id: 1, 1), processHasRoom: true) == .creditArrived(1))
        #expect([machine.nextItem(of: 1), machine.nextItem(of: 1)] == [2, nil])
        #expect(machine.answered(1) == 3)
        #expect(machine.nextItem(of: 1) == nil)
    }

    @Test func creditNeverExceedsItsLimit() throws {
        var machine = try machine()
        _ = try machine.receive(call(1, stream: 256), processHasRoom: true)
        #expect(machine.nextItem(of: 1) == 0)
        #expect(reason(&machine, .credit(id: 1, 1)) == nil)
        #expect(reason(&machine, .credit(id: 1, 1)) == .creditExceeded)
    }

    @Test func creditForACallWithoutStreamIsAViolation() throws {
        var machine = try machine()
        _ = try machine.receive(call(1), processHasRoom: true)
        #expect(reason(&machine, .credit(id: 1, 1)) == .creditExceeded)
        #expect(machine.nextItem(of: 1) == nil)
    }

    @Test func goingAwayFinishesWhatIsInFlightAndRefusesTheRest() throws {
        var machine = try machine()
        _ = try machine.receive(call(7), processHasRoom: true)
        #expect(machine.goAway(reason: "x") == .goaway(.init(last: 7, reason: "x", graceMilliseconds: 20_000)))
        #expect(machine.goAway(reason: "x") == nil)
        #expect(refusal(try machine.receive(call(8), processHasRoom: true)) == .unavailable)
        #expect(!machine.mayClose)
        machine.answered(7)
        #expect(machine.mayClose)
    }

    @Test func theEndOfTheInputWaitsForTheAnswers() throws {
        var machine = try machine()
        _ = try machine.receive(call(1), processHasRoom: true)
        machine.inputEnded()
        #expect(!machine.mayClose)
        machine.answered(1)
        #expect(machine.mayClose)
    }

    @Test func aCallerDoesNotAnswer() throws {
        let answers: [Message] = [
            .result(id: 1, .null), .error(id: 1, .notFound("")), .error(id: nil, .notFound("")),
            .item(id: 1, sequence: 0, .null), .end(id: 1, items: 0, result: nil),
            .goaway(.init(last: 0, reason: "", graceMilliseconds: 0)),
        ]
        for answer in answers {
            var machine = try machine()
            #expect(reason(&machine, answer) == .unexpectedMessage)
        }
    }

    @Test func pingIsAnswered() throws {
        var machine = try machine()
        #expect(try machine.receive(.ping(9), processHasRoom: false) == .send(.pong(9)))
        #expect(try machine.receive(.pong(9), processHasRoom: false) == .nothing)
    }
}

/// Calls within the scope of another one.
@Suite(.serialized) struct ScopeTests {
    private func machine() throws -> ServiceMachine {
        var machine = ServiceMachine(
            limits: .standard,
            introduction: .init(role: "test", build: "0", limits: .init()),
            requiresHello: false,
            atOnce: []
        )
        _ = try machine.receive(.call(.init(id: 1, operation: "a.open", stream: 1)), processHasRoom: true)
        return machine
    }

    private func code(_ action: ServiceMachine.Action) -> ErrorCode? {
        if case .send(.error(_, let error)) = action { error.code } else { nil }
    }

    @Test func aFullConnectionAndAFullProcessLockNoScopeOut() throws {
        var machine = try machine()
        for id in 2...64 { _ = try machine.receive(.call(.init(id: id, operation: "a.b")), processHasRoom: true) }
        #expect(
            code(try machine.receive(.call(.init(id: 65, operation: "a.b")), processHasRoom: true))
                == .resourceExhausted
        )
        let inner = Message.Call(id: 66, operation: "a.b", within: 1)
        #expect(try machine.receive(.call(inner), processHasRoom: false) == .start(inner))
        // It takes no place of the others either.
        machine.answered(2)
        let other = Message.Call(id: 67, operation: "a.b")
        #expect(try machine.receive(.call(other), processHasRoom: true) == .start(other))
    }

    @Test func aScopeHasALimitOfItsOwn() throws {
        var machine = try machine()
        for id in 2...33 {
            let inner = Message.Call(id: id, operation: "a.b", within: 1)
            #expect(try machine.receive(.call(inner), processHasRoom: true) == .start(inner))
        }
        let refused = try machine.receive(.call(.init(id: 34, operation: "a.b", within: 1)), processHasRoom: true)
        #expect(code(refused) == .resourceExhausted)
        machine.answered(2)
        let inner = Message.Call(id: 35, operation: "a.b", within: 1)
        #expect(try machine.receive(.call(inner), processHasRoom: true) == .start(inner))
    }

    @Test func aScopeGoesOnWhileTheServiceStops() throws {
        var machine = try machine()
        _ = machine.goAway(reason: "stop")
        let inner = Message.Call(id: 2, operation: "a.b", within: 1)
        #expect(try machine.receive(.call(inner), processHasRoom: true) == .start(inner))
        #expect(code(try machine.receive(.call(.init(id: 3, operation: "a.b")), processHasRoom: true)) == .unavailable)
        machine.answered(2)
        #expect(!machine.mayClose)
        machine.answered(1)
        #expect(machine.mayClose)
    }

    @Test func aCallWithinOneThatIsOverIsRefused() throws {
        var machine = try machine()
        machine.answered(1)
        let refused = try machine.receive(.call(.init(id: 2, operation: "a.b", within: 1)), processHasRoom: true)
        #expect(code(refused) == .failedPrecondition)
    }
}
