internal import Synchronization

/// Whether a service takes new work. Shared by all that take some: the server, and what else lets work in.
public final class Drain: Sendable {
    private let asked = Atomic(false)

    /// A service that takes work.
    public init() {}

    /// Whether an administrator has asked it to take none.
    public var isOn: Bool { asked.load(ordering: .relaxed) }

    func set(_ isOn: Bool) { asked.store(isOn, ordering: .relaxed) }
}
