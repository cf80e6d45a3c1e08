import Testing
import Wire

@Suite(.serialized) struct CallerMachineTests {
    private func machine(_ accepted: Message.Accepted = .init()) throws -> CallerMachine {
        var machine = CallerMachine(introduction: .init(role: "gateway", build: "0", limits: .init()))
        _ = try machine.receive(greeting(accepted))
        return machine
    }

    private func greeting(_ accepted: Message.Accepted = .init(), _ versions: ClosedRange<Int> = 1...1) -> Message {
        .hello(.init(versions: versions, role: "storage", build: "0", limits: accepted))
    }

    private func reason(_ machine: inout CallerMachine, _ message: Message) -> ProtocolViolation.Reason? {
        violation { () throws(ProtocolViolation) in _ = try machine.receive(message) }
    }

    @Test func nothingStartsBeforeTheServiceHasSaidHello() throws {
        var machine = CallerMachine(introduction: .init(role: "gateway", build: "0", limits: .init()))
        #expect(machine.greeting == .hello(.init(role: "gateway", build: "0", limits: .init())))
        #expect(!machine.hasRoom(forStream: false))
        #expect(reason(&machine, .pong(1)) == .helloExpected)
        _ = try machine.receive(greeting())
        #expect(machine.hasRoom(forStream: true))
        #expect(reason(&machine, greeting()) == .unexpectedMessage)
    }

    @Test func theServicesLimitsAreKept() throws {
        var accepted = Message.Accepted()
        accepted.callsInFlight = 2
        accepted.streamsOpen = 1
        var machine = try machine(accepted)
        #expect(machine.start(stream: 1) == 1)
        #expect(!machine.hasRoom(forStream: true))
        #expect(machine.hasRoom(forStream: false))
        #expect(machine.start(stream: nil) == 2)
        #expect(!machine.hasRoom(forStream: false))
        #expect(try machine.receive(.result(id: 2, .null)) == .answered(2, .success(.null)))
        #expect(machine.hasRoom(forStream: false))
    }

    @Test func aCallIsAnsweredOnce() throws {
        var machine = try machine()
        _ = machine.start(stream: nil)
        #expect(try machine.receive(.error(id: 1, .notFound("x"))) == .answered(1, .failure(.notFound("x"))))
        #expect(reason(&machine, .result(id: 1, .null)) == .unknownID)
        #expect(reason(&machine, .result(id: 2, .null)) == .unknownID)
    }

    @Test func itemsComeInOrderWithinTheirCredit() throws {
        var machine = try machine()
        _ = machine.start(stream: 1)
        #expect(reason(&machine, .item(id: 1, sequence: 1, .null)) == .sequence)
        #expect(try machine.receive(.item(id: 1, sequence: 0, .null)) == .item(1, .null))
        #expect(reason(&machine, .item(id: 1, sequence: 1, .null)) == .creditExceeded)
        #expect(machine.grant(2, to: 1) == .credit(id: 1, 2))
        #expect(try machine.receive(.item(id: 1, sequence: 1, .null)) == .item(1, .null))
        #expect(reason(&machine, .end(id: 1, items: 3, result: nil)) == .sequence)
        #expect(try machine.receive(.end(id: 1, items: 2, result: .null)) == .answered(1, .success(.null)))
        #expect(machine.grant(1, to: 1) == nil)
    }

    @Test func aStreamEndsWithEndAndAnotherCallWithResult() throws {
        var machine = try machine()
        _ = machine.start(stream: 1)
        _ = machine.start(stream: nil)
        #expect(reason(&machine, .result(id: 1, .null)) == .unexpectedMessage)
        #expect(reason(&machine, .end(id: 2, items: 0, result: nil)) == .unexpectedMessage)
        #expect(reason(&machine, .item(id: 2, sequence: 0, .null)) == .unexpectedMessage)
    }

    @Test func anAbandonedCallHoldsItsPlaceUntilItsTerminal() throws {
        var accepted = Message.Accepted()
        accepted.callsInFlight = 1
        var machine = try machine(accepted)
        _ = machine.start(stream: 4)
        #expect(machine.abandon(1, reason: "enough") == .cancel(id: 1, reason: "enough"))
        #expect(machine.abandon(1, reason: "enough") == nil)
        #expect(!machine.hasRoom(forStream: false))
        #expect(try machine.receive(.item(id: 1, sequence: 0, .null)) == .nothing)
        #expect(try machine.receive(.error(id: 1, .cancelled())) == .nothing)
        #expect(machine.hasRoom(forStream: false))
    }

    @Test func goawayGivesBackWhatWasNotStarted() throws {
        var machine = try machine()
        for _ in 1...4 { _ = machine.start(stream: nil) }
        _ = machine.abandon(4, reason: "")
        let goaway = Message.goaway(.init(last: 2, reason: "", graceMilliseconds: 0))
        #expect(try machine.receive(goaway) == .leaving(notStarted: [3]))
        #expect(!machine.hasRoom(forStream: false))
        // The service may still refuse a call that crossed its goaway.
        #expect(try machine.receive(.error(id: 3, .unavailable(""))) == .nothing)
        #expect(reason(&machine, .error(id: 9, .unavailable(""))) == .unknownID)
        _ = try machine.receive(.result(id: 1, .null))
        #expect(!machine.mayClose)
        _ = try machine.receive(.result(id: 2, .null))
        #expect(machine.mayClose)
    }

    @Test func aLostConnectionLeavesThoseWhoStillWait() throws {
        var machine = try machine()
        for _ in 1...3 { _ = machine.start(stream: nil) }
        _ = machine.abandon(2, reason: "")
        #expect(machine.lost() == [1, 3])
        #expect(machine.inFlight == 0)
    }

    @Test func anErrorWithoutIDIsTheEnd() throws {
        var machine = CallerMachine(introduction: .init(role: "gateway", build: "0", limits: .init()))
        let error = ServiceError.resourceExhausted("x")
        #expect(try machine.receive(.error(id: nil, error)) == .closing(error))
    }

    @Test func aServiceDoesNotCall() throws {
        for message in [Message.call(.init(id: 1, operation: "x")), .credit(id: 1, 1), .cancel(id: 1, reason: "")] {
            var machine = try machine()
            #expect(reason(&machine, message) == .unexpectedMessage)
        }
    }

    /// Both machines in a seeded dialogue: whatever the order, credit, ids and counts agree, and everything is answered.
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func bothMachinesAgree(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var caller = try machine()
        var service = ServiceMachine(
            limits: .standard,
            introduction: .init(role: "test", build: "0", limits: .init()),
            requiresHello: true,
            atOnce: []
        )
        var toService: [Message] = [caller.greeting]
        var toCaller: [Message] = []
        var running: Set<CallID> = []
        var streams: Set<CallID> = []
        var open: Set<CallID> = []
        for step in 0..<3000 {
            switch Int.random(in: 0...7, using: &generator) {
            case 0 where caller.hasRoom(forStream: true) && step < 2500:
                let stream = Bool.random(using: &generator) ? Int.random(in: 1...8, using: &generator) : nil
                let id = caller.start(stream: stream)
                open.insert(id)
                if stream != nil { streams.insert(id) }
                toService.append(.call(.init(id: id, operation: "x", stream: stream)))
            case 1:
                if let id = open.randomElement(using: &generator), let cancel = caller.abandon(id, reason: "") {
                    toService.append(cancel)
                }
            case 2, 3:
                guard let id = running.randomElement(using: &generator) else { continue }
                if let sequence = service.nextItem(of: id) { toCaller.append(.item(id: id, sequence: sequence, .null)) }
            case 4:
                guard let id = running.randomElement(using: &generator) else { continue }
                running.remove(id)
                let items = service.answered(id)
                toCaller.append(items.map { .end(id: id, items: $0, result: .null) } ?? .result(id: id, .null))
            case 5, 6:
                guard !toService.isEmpty else { continue }
                if case .start(let call) = try service.receive(toService.removeFirst(), processHasRoom: true) {
                    running.insert(call.id)
                }
            default:
                guard !toCaller.isEmpty else { continue }
                switch try caller.receive(toCaller.removeFirst()) {
                case .answered(let id, _): #expect(open.remove(id) != nil)
                case .item(let id, _): if let credit = caller.grant(1, to: id) { toService.append(credit) }
                default: break
                }
            }
            #expect(service.inFlight <= 64 && service.inFlight == running.count)
        }
    }
}
