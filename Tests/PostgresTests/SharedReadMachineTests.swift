import Testing

@testable import Postgres

@Suite(.serialized) struct SharedReadMachineTests {
    private typealias Machine = SharedReadMachine
    private let start = ContinuousClock.now

    private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    private func read(_ id: Int, _ sql: Query = "select 1", until seconds: Double = 30) -> SharedReadMachine.Read {
        .init(id: id, query: sql, deadline: at(seconds))
    }

    /// A machine whose lanes have asked for work and found none.
    private func machine(lanes: Int = 1, waiting: Int = 10_000) -> SharedReadMachine {
        var machine = Machine(lanes: lanes, maximumWaiting: waiting)
        for lane in 0..<lanes { #expect(taken(&machine, lane) == []) }
        return machine
    }

    /// The ids a lane is given; nil when it is to end.
    private func taken(_ machine: inout SharedReadMachine, _ lane: Int) -> [Int]? {
        switch machine.take(lane) {
        case .send(let batch): batch.reads.map(\.id)
        case .rest: []
        case .end: nil
        }
    }

    @Test func whatArrivesWhileABatchIsUnderWayGathers() {
        var machine = machine()
        #expect(machine.add(read(1), now: at(0)) == [.wake(0)])
        #expect(machine.add(read(2), now: at(0)) == [])
        #expect(taken(&machine, 0) == [1, 2])
        for id in 3...5 { #expect(machine.add(read(id), now: at(0)) == []) }
        #expect(machine.waitingCount == 3)
        let actions = machine.finished(0, [.answered, .answered], now: at(0))
        #expect(actions == [.deliver(1, place: 0), .deliver(2, place: 1)])
        #expect(taken(&machine, 0) == [3, 4, 5])
        #expect(machine.waitingCount == 0)
    }

    @Test func readsBeforeAnyLaneServesWait() {
        var machine = Machine(lanes: 1, maximumWaiting: 10)
        #expect(machine.add(read(1), now: at(0)) == [])
        #expect(taken(&machine, 0) == [1])
    }

    @Test func freeLanesShareWhatWaits() {
        var machine = machine(lanes: 2)
        #expect(machine.add(read(1), now: at(0)) == [.wake(0)])
        for id in 2...8 { #expect(machine.add(read(id), now: at(0)) == []) }
        // One lane has enough with eight.
        #expect(machine.add(read(9), now: at(0)) == [.wake(1)])
        for id in 10...40 { #expect(machine.add(read(id), now: at(0)) == []) }
        #expect(taken(&machine, 0) == Array(1...20))
        #expect(taken(&machine, 1) == Array(21...40))
    }

    @Test func aBatchIsBoundedInNumberAndBytes() {
        var machine = machine()
        for id in 1...300 { _ = machine.add(read(id), now: at(0)) }
        #expect(taken(&machine, 0)?.count == SharedReadMachine.largestBatch)
        machine = self.machine()
        let large: Query = "select \([UInt8](repeating: 1, count: 400_000))"
        for id in 1...10 { _ = machine.add(read(id, large), now: at(0)) }
        #expect(taken(&machine, 0) == [1, 2, 3])
    }

    @Test func whatAnErrorAbortedIsSentOnceMoreAlone() throws {
        var machine = machine()
        for id in 1...4 { _ = machine.add(read(id), now: at(0)) }
        #expect(taken(&machine, 0) == [1, 2, 3, 4])
        _ = machine.add(read(5), now: at(0))
        // The second failed by itself: that is its answer.
        let first = machine.finished(0, [.answered, .answered, .again, .again], now: at(0))
        #expect(first == [.deliver(1, place: 0), .deliver(2, place: 1)])
        guard case .send(let batch) = machine.take(0) else { throw Unexpected() }
        #expect(batch.isRepeated)
        #expect(batch.reads.map(\.id) == [3, 4])
        #expect(machine.finished(0, [.answered, .again], now: at(0)) == [.deliver(3, place: 0), .divert(4)])
        #expect(taken(&machine, 0) == [5])
    }

    @Test func aSlowReadGoesElsewhereAndSoDoItsLikeForAWhile() {
        var machine = machine()
        for id in 1...4 { _ = machine.add(read(id, id == 2 || id == 4 ? "slow" : "fast"), now: at(0)) }
        #expect(taken(&machine, 0) == [1, 2, 3, 4])
        let actions = machine.finished(0, [.answered, .slow, .again, .again], now: at(0))
        #expect(actions == [.deliver(1, place: 0), .divert(2), .divert(4)])
        #expect(taken(&machine, 0) == [3])
        #expect(machine.add(read(5, "slow"), now: at(0.9)) == [.divert(5)])
        #expect(machine.add(read(6, "slow"), now: at(1)) == [])
    }

    @Test func aReadThatIsSlowEachTimeIsTriedMoreAndMoreSeldom() {
        var slow = SlowStatements()
        var (now, pauses) = (0.0, [Double]())
        for _ in 1...8 {
            slow.insert("slow", now: at(now))
            // Another one of the same batch.
            slow.insert("slow", now: at(now))
            let pause = [1, 2, 4, 8, 16, 32, 60].first { !slow.contains("slow", now: at(now + $0)) } ?? .infinity
            #expect(slow.contains("slow", now: at(now + pause - 0.01)))
            pauses.append(pause)
            now += pause
        }
        #expect(pauses == [1, 2, 4, 8, 16, 32, 60, 60])
        slow.insert("slow", now: at(now + 60))
        #expect(!slow.contains("slow", now: at(now + 61)))
    }

    @Test func aLaneThatFailsDivertsItsBatch() {
        var machine = machine()
        for id in 1...3 { _ = machine.add(read(id), now: at(0)) }
        #expect(taken(&machine, 0) == [1, 2, 3])
        #expect(machine.giveUp(2) == true)
        #expect(machine.failed(0) == [.divert(1), .divert(3)])
        #expect(machine.nextTimer == nil)
    }

    @Test func whoeverGivesUpIsAnsweredNoMore() {
        var machine = machine()
        for id in 1...3 { _ = machine.add(read(id), now: at(0)) }
        #expect(machine.giveUp(1) == true)
        #expect(machine.giveUp(1) == false)
        #expect(machine.waitingCount == 2)
        #expect(taken(&machine, 0) == [2, 3])
        #expect(machine.giveUp(2) == true)
        #expect(machine.waitingCount == 0)
        #expect(machine.finished(0, [.answered, .answered], now: at(0)) == [.deliver(3, place: 1)])
    }

    @Test func theGivenUpDoNotPileUp() {
        var machine = machine()
        _ = machine.add(read(0), now: at(0))
        #expect(taken(&machine, 0) == [0])
        for id in 1...100_000 {
            #expect(machine.add(read(id), now: at(0)) == [])
            #expect(machine.giveUp(id) == true)
        }
        #expect(machine.waitingCount == 0)
        #expect(machine.queueLength <= SharedReadMachine.largestBatch)
        #expect(machine.nextTimer == at(30))
    }

    @Test func aDeadlineEndsTheWaitForALane() {
        var machine = machine()
        _ = machine.add(read(1, until: 1), now: at(0))
        #expect(taken(&machine, 0) == [1])
        _ = machine.add(read(2, until: 2), now: at(0))
        _ = machine.add(read(3, until: 3), now: at(0))
        #expect(machine.nextTimer == at(1))
        #expect(machine.timerFired(now: at(2)) == [.fail(1, .timedOut), .fail(2, .timedOut)])
        #expect(machine.finished(0, [.answered], now: at(2)) == [])
        #expect(taken(&machine, 0) == [3])
    }

    @Test func oneTooManyIsRefusedAtOnce() {
        var machine = machine(waiting: 2)
        _ = machine.add(read(0), now: at(0))
        #expect(taken(&machine, 0) == [0])
        #expect(machine.add(read(1), now: at(0)) == [])
        #expect(machine.add(read(2), now: at(0)) == [])
        #expect(machine.add(read(3), now: at(0)) == [.fail(3, .exhausted)])
        #expect(machine.giveUp(1) == true)
        #expect(machine.add(read(4), now: at(0)) == [])
    }

    @Test(arguments: [true, false]) func stoppingFinishesWhatIsUnderWayUnlessItIsBrokenOff(isBrokenOff: Bool) {
        var machine = machine(lanes: 2)
        for id in 1...2 { _ = machine.add(read(id), now: at(0)) }
        #expect(taken(&machine, 0) == [1, 2])
        #expect(machine.finished(0, [.answered, .again], now: at(0)) == [.deliver(1, place: 0)])
        let failed: [SharedReadMachine.Action] = isBrokenOff ? [.fail(2, .closed)] : []
        #expect(machine.stop(breakingOff: isBrokenOff) == failed + [.wake(1)])
        #expect(taken(&machine, 1) == nil)
        #expect(taken(&machine, 0) == (isBrokenOff ? nil : [2]))
        #expect(machine.add(read(9), now: at(0)) == [.fail(9, .closed)])
    }

    /// Whatever happens, everybody is answered exactly once.
    @Test(arguments: 0..<20 as Range<UInt64>) func everyReadIsAnsweredOnce(seed: UInt64) {
        var chance = Jitter(state: seed)
        var machine = machine(lanes: 3, waiting: 40)
        var open: Set<Int> = []
        var batches: [Int: [Int]] = [:]
        func apply(_ actions: [SharedReadMachine.Action]) {
            for action in actions {
                switch action {
                case .wake: break
                case .deliver(let id, _), .divert(let id), .fail(let id, _): #expect(open.remove(id) != nil)
                }
            }
        }
        for id in 1...2000 {
            let lane = Int(chance.next(in: 0...2.99))
            switch Int(chance.next(in: 0...5.99)) {
            case 0, 1:
                open.insert(id)
                apply(machine.add(read(id, until: Double(id) / 10 + 1), now: at(Double(id) / 10)))
            case 2: if let other = open.first { #expect(machine.giveUp(other) == (open.remove(other) != nil)) }
            case 3 where batches[lane] == nil: batches[lane] = taken(&machine, lane).flatMap { $0.isEmpty ? nil : $0 }
            case 3: if batches.removeValue(forKey: lane) != nil { apply(machine.failed(lane)) }
            case 4:
                guard let batch = batches.removeValue(forKey: lane) else { continue }
                let verdicts = batch.map { _ in
                    [Machine.Verdict.answered, .again, .answered][Int(chance.next(in: 0...2.99))]
                }
                apply(machine.finished(lane, verdicts, now: at(Double(id) / 10)))
            default: apply(machine.timerFired(now: at(Double(id) / 10)))
            }
        }
        for lane in 0..<3 { apply(machine.failed(lane)) }
        apply(machine.stop(breakingOff: true))
        #expect(open.isEmpty)
        #expect(machine.nextTimer == nil)
    }

    private struct Unexpected: Error {}
}
