@testable import Postgres

/// What the world around the machine looks like, by its actions alone.
struct PoolModel {
    var opening: Set<Int> = []
    var lent: Set<Int> = []
    var settling: Set<Int> = []
    var closing: Set<Int> = []
    var waiting: Set<Int> = []
    var violations: [String] = []

    mutating func event(
        on machine: inout PoolStateMachine,
        step: Int,
        now: ContinuousClock.Instant,
        chance: inout Jitter
    ) -> [PoolStateMachine.Action] {
        let isGood = chance.next(in: 0...1) < 0.7
        switch Int(chance.next(in: 0...8)) {
        case 0, 1:
            waiting.insert(step)
            return machine.lease(.init(id: step, deadline: now + .seconds(1), isOwn: isGood), now: now)
        case 2:
            guard let id = opening.popFirst() else { return [] }
            return isGood ? machine.opened(id, now: now) : machine.openingFailed(id, now: now)
        case 3:
            guard let id = lent.popFirst() else { return [] }
            return machine.giveBack(id, isGood ? .clean : step % 2 == 0 ? .unsettled : .closed, now: now)
        case 4:
            guard let id = settling.popFirst() else { return [] }
            return machine.settled(id, isUsable: isGood, now: now)
        case 5:
            guard let id = closing.popFirst() else { return [] }
            return machine.closed(id)
        case 6:
            guard let id = waiting.first else { return [] }
            if machine.cancel(id) { waiting.remove(id) } else { violations.append("waiter \(id) was lost") }
            return []
        case 7: return isGood ? [] : machine.idle.first.map { machine.died($0) } ?? []
        default: return machine.timerFired(now: now)
        }
    }

    mutating func apply(_ actions: [PoolStateMachine.Action]) {
        for action in actions {
            switch action {
            case .open(let id): opening.insert(id)
            case .settle(let id): settling.insert(id)
            case .close(let id): closing.insert(id)
            case .lend(let id, let waiter):
                if !lent.insert(id).inserted { violations.append("connection \(id) was lent twice") }
                if waiting.remove(waiter) == nil { violations.append("waiter \(waiter) was answered twice") }
            case .fail(let waiter, _):
                if waiting.remove(waiter) == nil { violations.append("waiter \(waiter) was answered twice") }
            case .finish:
                if !lent.isEmpty || !opening.isEmpty || !closing.isEmpty { violations.append("finished too early") }
            }
        }
    }
}
