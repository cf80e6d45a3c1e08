internal import Synchronization

/// Whether a client is connected to its service, as it last heard.
public enum Presence: Sendable, Equatable {
    /// There is no connection; the next call makes one.
    case away
    /// There is one.
    case connected
    /// The service has ended for want of work, and the next connection starts it again.
    case asleep
}

/// A presence that the client's event loop changes and anybody reads.
final class PresenceCell: Sendable {
    private let value = Mutex(Presence.away)

    var presence: Presence { value.withLock { $0 } }
    func become(_ presence: Presence) { value.withLock { $0 = presence } }
}
