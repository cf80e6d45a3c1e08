internal import NIOCore
internal import Synchronization

/// Who is connected to a listening socket.
///
/// On an admin socket, connections without a call in flight never keep another out, so that `health` is answered however
/// many are held open: the one that was silent longest goes. Where all are at work, a few more are let in, which may ask
/// for what is answered at once and for nothing else.
final class Occupancy: Sendable {
    /// Connections beyond the limit while all others are at work: enough for every administrator to look at once.
    private static let reserve = 8

    private struct Seat {
        var isBusy = false
        var heard: NIODeadline
        let leave: @Sendable () -> Void
    }

    private let limit: Int
    private let makesRoom: Bool
    private let seats = Mutex<[ConnectionID: Seat]>([:])

    init(limit: Int, makesRoom: Bool) {
        self.limit = limit
        self.makesRoom = makesRoom
    }

    /// A connection comes. Returns whether it may stay.
    /// - Parameter leave: tells it to go; called from another connection's event loop.
    func admit(_ id: ConnectionID, now: NIODeadline = .now(), leave: @Sendable @escaping () -> Void) -> Bool {
        let (isAdmitted, leaving) = seats.withLock { seats -> (Bool, Seat?) in
            let busy = seats.values.count(where: \.isBusy)
            var leaving: Seat?
            if seats.count >= limit {
                guard makesRoom else { return (false, nil) }
                if busy < limit || seats.count >= limit + Self.reserve {
                    guard let idlest = seats.filter({ !$0.value.isBusy }).min(by: { $0.value.heard < $1.value.heard })
                    else { return (false, nil) }
                    leaving = seats.removeValue(forKey: idlest.key)
                }
            }
            seats[id] = Seat(heard: now, leave: leave)
            return (true, leaving)
        }
        leaving?.leave()
        return isAdmitted
    }

    /// Whether a connection may have calls in flight.
    func mayWork(_ id: ConnectionID) -> Bool {
        guard makesRoom else { return true }
        return seats.withLock { seats in
            seats[id]?.isBusy == true || seats.values.count(where: \.isBusy) < limit
        }
    }

    /// A connection has said something, or was answered.
    func heard(_ id: ConnectionID, isBusy: Bool, now: NIODeadline = .now()) {
        guard makesRoom else { return }
        seats.withLock { seats in
            seats[id]?.isBusy = isBusy
            seats[id]?.heard = now
        }
    }

    /// A connection is gone.
    func left(_ id: ConnectionID) {
        seats.withLock { $0[id] = nil }
    }
}
