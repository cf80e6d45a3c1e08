import Testing

@testable import Postgres

@Suite(.serialized) struct PoolStateMachineTests {
    private typealias Machine = PoolStateMachine
    private let start = ContinuousClock.now

    private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    private func machine(size: Int = 2, waiters: Int = 256) -> PoolStateMachine {
        var configuration = PoolConfiguration()
        configuration.size = size
        configuration.maximumWaiters = waiters
        return PoolStateMachine(configuration, seed: 7)
    }

    private func waiter(_ id: Int, until seconds: Double = 2, isOwn: Bool = false) -> PoolStateMachine.Waiter {
        .init(id: id, deadline: at(seconds), isOwn: isOwn)
    }

    /// A machine whose connections 1… are open and idle.
    private func opened(_ count: Int, size: Int? = nil) -> PoolStateMachine {
        var machine = machine(size: size ?? count)
        for id in 1...count { #expect(machine.lease(waiter(-id), now: at(0)) == [.open(id)]) }
        for id in 1...count { #expect(machine.opened(id, now: at(0)) == [.lend(id, to: -id)]) }
        for id in 1...count { #expect(machine.giveBack(id, .clean, now: at(0)) == []) }
        return machine
    }

    @Test func theFirstLeaseOpensAConnection() {
        var machine = machine()
        #expect(machine.availability == .starting)
        #expect(machine.lease(waiter(1), now: at(0)) == [.open(1)])
        #expect(machine.opened(1, now: at(0)) == [.lend(1, to: 1)])
        #expect(machine.availability == .up)
    }

    @Test func startingOpensOneSoThatTheStateIsKnown() {
        var machine = machine()
        #expect(machine.started() == [.open(1)])
        #expect(machine.started() == [])
        #expect(machine.opened(1, now: at(0)) == [])
        #expect(machine.idle == [1])
    }

    @Test func theLastReturnedIsLentFirst() {
        var machine = opened(3)
        #expect(machine.lease(waiter(1), now: at(0)) == [.lend(3, to: 1)])
        #expect(machine.lease(waiter(2), now: at(0)) == [.lend(2, to: 2)])
        #expect(machine.giveBack(3, .clean, now: at(0)) == [])
        #expect(machine.lease(waiter(3), now: at(0)) == [.lend(3, to: 3)])
    }

    @Test func waitersAreServedInTheirOrder() {
        var machine = opened(1)
        #expect(machine.lease(waiter(1), now: at(0)) == [.lend(1, to: 1)])
        #expect(machine.lease(waiter(2), now: at(0)) == [])
        #expect(machine.lease(waiter(3), now: at(0)) == [])
        #expect(machine.giveBack(1, .clean, now: at(0)) == [.lend(1, to: 2)])
        #expect(machine.giveBack(1, .clean, now: at(0)) == [.lend(1, to: 3)])
    }

    @Test func neverMoreThanTheSizeAreOpened() {
        var machine = machine(size: 2)
        #expect(machine.lease(waiter(1), now: at(0)) == [.open(1)])
        #expect(machine.lease(waiter(2), now: at(0)) == [.open(2)])
        #expect(machine.lease(waiter(3), now: at(0)) == [])
    }

    @Test func tooManyWaitersAreRefusedAtOnce() {
        var machine = machine(size: 1, waiters: 2)
        _ = machine.lease(waiter(1), now: at(0))
        _ = machine.lease(waiter(2), now: at(0))
        #expect(machine.lease(waiter(3), now: at(0)) == [.fail(3, .exhausted)])
    }

    @Test func aWaiterIsRefusedAtItsDeadline() {
        var machine = opened(1)
        _ = machine.lease(waiter(1), now: at(0))
        _ = machine.lease(waiter(2, until: 1, isOwn: true), now: at(0))
        _ = machine.lease(waiter(3, until: 2), now: at(0))
        #expect(machine.nextTimer == at(1))
        #expect(machine.timerFired(now: at(0.9)) == [])
        #expect(machine.timerFired(now: at(1)) == [.fail(2, .timedOut)])
        #expect(machine.timerFired(now: at(2)) == [.fail(3, .exhausted)])
    }

    @Test func aWaiterWhoseConnectionIsNeverOpenedIsToldThatPostgresIsAway() {
        var machine = machine()
        _ = machine.lease(waiter(1), now: at(0))
        #expect(machine.timerFired(now: at(2)) == [.fail(1, .unavailable)])
    }

    @Test func aCancelledWaiterIsForgotten() {
        var machine = opened(1)
        _ = machine.lease(waiter(1), now: at(0))
        _ = machine.lease(waiter(2), now: at(0))
        let cancelled = [2, 2, 1].map { machine.cancel($0) }
        #expect(cancelled == [true, false, false])
        #expect(machine.giveBack(1, .clean, now: at(0)) == [])
    }

    @Test func anUnsettledConnectionSettlesBeforeItIsLentAgain() {
        var machine = opened(1)
        _ = machine.lease(waiter(1), now: at(0))
        _ = machine.lease(waiter(2), now: at(0))
        #expect(machine.giveBack(1, .unsettled, now: at(0)) == [.settle(1)])
        #expect(machine.settled(1, isUsable: true, now: at(0)) == [.lend(1, to: 2)])
    }

    @Test func aConnectionThatDoesNotSettleIsReplaced() {
        var machine = opened(1)
        _ = machine.lease(waiter(1), now: at(0))
        _ = machine.lease(waiter(2), now: at(0))
        _ = machine.giveBack(1, .unsettled, now: at(0))
        #expect(machine.settled(1, isUsable: false, now: at(0)) == [.open(2)])
    }

    @Test func aConnectionReturnedTwiceChangesNothing() {
        var machine = opened(1)
        _ = machine.lease(waiter(1), now: at(0))
        #expect(machine.giveBack(1, .clean, now: at(0)) == [])
        #expect(machine.giveBack(1, .closed, now: at(0)) == [])
        #expect(machine.idle == [1])
    }

    @Test func theLastConnectionToDieIsReplacedAtOnceToSeeWhetherPostgresIsThere() {
        var machine = opened(2)
        #expect(machine.died(1) == [])
        #expect(machine.died(2) == [.open(3)])
        #expect(machine.openingFailed(3, now: at(0)) == [])
        #expect(machine.lease(waiter(1), now: at(0)) == [.fail(1, .unavailable)])
    }

    @Test func whenPostgresIsAwayAllWaitersAreRefusedAndOneProbes() throws {
        var machine = machine(size: 2)
        _ = machine.lease(waiter(1), now: at(0))
        _ = machine.lease(waiter(2), now: at(0))
        _ = machine.lease(waiter(3), now: at(0))
        #expect(
            machine.openingFailed(1, now: at(0))
                == [.fail(1, .unavailable), .fail(2, .unavailable), .fail(3, .unavailable)]
        )
        // The other opening fails with it and counts no second time.
        #expect(machine.openingFailed(2, now: at(0)) == [])
        guard case .down(failures: 1, retryAt: let retryAt?) = machine.availability else {
            Issue.record("\(machine.availability)")
            return
        }
        #expect(retryAt >= at(0.05) && retryAt <= at(0.1))
        #expect(machine.timerFired(now: retryAt) == [.open(3)])
        // While the probe is under way nothing else is tried.
        #expect(machine.lease(waiter(4), now: retryAt) == [.fail(4, .unavailable)])
        #expect(machine.nextTimer == nil)
        #expect(machine.opened(3, now: retryAt) == [])
        #expect(machine.lease(waiter(5), now: retryAt) == [.lend(3, to: 5)])
    }

    @Test func thePausesGrowUpToTheLongest() throws {
        var machine = machine(size: 1)
        _ = machine.started()
        var now = at(0)
        var pauses: [Double] = []
        for id in 1...12 {
            #expect(machine.openingFailed(id, now: now) == [])
            let next = try #require(machine.nextTimer)
            pauses.append(now.duration(to: next) / .seconds(1))
            now = next
            #expect(machine.timerFired(now: now) == [.open(id + 1)])
        }
        for (index, pause) in pauses.enumerated() {
            let longest = min(0.1 * Double(1 << index), 5)
            #expect(pause >= longest / 2 - 1e-9 && pause <= longest + 1e-9)
        }
    }

    @Test func whileConnectionsLiveAFailedOpeningRefusesNobody() {
        var machine = opened(1, size: 2)
        _ = machine.lease(waiter(1), now: at(0))
        #expect(machine.lease(waiter(2), now: at(0)) == [.open(2)])
        #expect(machine.openingFailed(2, now: at(0)) == [])
        #expect(machine.giveBack(1, .clean, now: at(0)) == [.lend(1, to: 2)])
        // Once the last one is gone too, nobody waits in vain.
        #expect(machine.lease(waiter(3), now: at(0)) == [])
        #expect(machine.giveBack(1, .closed, now: at(0)) == [.fail(3, .unavailable)])
    }

    @Test func anOldConnectionIsReplaced() {
        var machine = opened(2)
        _ = machine.lease(waiter(1), now: at(0))
        let old = at(34 * 60)
        #expect(machine.nextTimer.map { $0 >= at(27 * 60) && $0 <= at(33 * 60) } == true)
        #expect(machine.timerFired(now: old) == [.close(1)])
        #expect(machine.closed(1) == [])
        _ = machine.lease(waiter(2), now: old)
        #expect(machine.giveBack(2, .clean, now: old) == [.close(2)])
    }

    @Test func anOldIdleConnectionIsNotLent() {
        var machine = opened(1)
        let old = at(34 * 60)
        #expect(machine.lease(waiter(1, until: 1e6), now: old) == [.close(1)])
        #expect(machine.closed(1) == [.open(2)])
        #expect(machine.opened(2, now: old) == [.lend(2, to: 1)])
    }

    @Test func stoppingWaitsForWhatIsLent() {
        var machine = opened(2)
        _ = machine.lease(waiter(1), now: at(0))
        #expect(machine.stop(breakingOff: false) == [.close(1)])
        #expect(machine.lease(waiter(2), now: at(0)) == [.fail(2, .closed)])
        #expect(machine.closed(1) == [])
        #expect(machine.giveBack(2, .clean, now: at(0)) == [.close(2)])
        #expect(machine.closed(2) == [.finish])
        #expect(machine.nextTimer == nil)
    }

    @Test func stoppingRefusesWaitersAndDropsWhatIsStillOpening() {
        var machine = machine()
        _ = machine.lease(waiter(1), now: at(0))
        #expect(machine.stop(breakingOff: false) == [.fail(1, .closed)])
        #expect(machine.opened(1, now: at(0)) == [.close(1)])
        #expect(machine.closed(1) == [.finish])
    }

    @Test func breakingOffClosesWhatIsLent() {
        var machine = opened(2)
        _ = machine.lease(waiter(1), now: at(0))
        #expect(machine.stop(breakingOff: true) == [.close(1), .close(2)])
        #expect(machine.closed(1) == [])
        #expect(machine.closed(2) == [.finish])
        #expect(machine.giveBack(2, .closed, now: at(0)) == [])
    }

    @Test func anEmptyPoolStopsAtOnce() {
        var machine = machine()
        #expect(machine.stop(breakingOff: false) == [.finish])
        #expect(machine.started() == [])
    }

    /// Chance drives the machine; the rules must hold after each step.
    @Test(arguments: 1...20) func noSequenceOfEventsBreaksTheRules(seed: UInt64) {
        var machine = machine(size: 3, waiters: 5)
        var chance = Jitter(state: seed)
        var model = PoolModel()
        var now = start
        for step in 0..<2000 {
            now += .milliseconds(Int(chance.next(in: 0...200)))
            if step == 1900 { model.apply(machine.stop(breakingOff: false)) }
            model.apply(model.event(on: &machine, step: step, now: now, chance: &chance))
            #expect(machine.connections.count <= 3)
            #expect(machine.waiters.count <= 5)
            #expect(machine.deadlines.count == machine.waiters.count)
            #expect(machine.deadlines.earliest == machine.waiters.map(\.deadline).min())
            #expect(Set(machine.waiters.map(\.id)) == model.waiting)
            #expect(model.violations == [])
        }
    }
}
