/// The deadlines of the reactor, earliest first, with one deadline a key.
///
/// A binary heap that knows where each key lies, so that a deadline can be taken out again. Nearly every deadline is:
/// left to expire in the heap, those of finished waits would pile up by the thousand.
struct DeadlineHeap<Key: Hashable> {
    typealias Instant = ContinuousClock.Instant

    private var entries: [(deadline: Instant, key: Key)] = []
    private var positions: [Key: Int] = [:]

    /// The next deadline, if any.
    var earliest: Instant? { entries.first?.deadline }

    var count: Int { entries.count }

    /// Gives `key` this deadline in place of the one it may have.
    mutating func set(_ key: Key, _ deadline: Instant) {
        if let position = positions[key] {
            entries[position].deadline = deadline
            restore(position)
        } else {
            entries.append((deadline, key))
            positions[key] = entries.count - 1
            siftUp(entries.count - 1)
        }
    }

    /// Takes the deadline of `key` out, if it has one.
    mutating func remove(_ key: Key) {
        guard let position = positions.removeValue(forKey: key) else { return }
        let last = entries.removeLast()
        guard position < entries.count else { return }
        entries[position] = last
        positions[last.key] = position
        restore(position)
    }

    /// Takes out the earliest key whose deadline is not after `now`.
    mutating func popExpired(at now: Instant) -> Key? {
        guard let first = entries.first, first.deadline <= now else { return nil }
        remove(first.key)
        return first.key
    }

    private mutating func restore(_ position: Int) {
        siftDown(siftUp(position))
    }

    @discardableResult
    private mutating func siftUp(_ start: Int) -> Int {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].deadline < entries[parent].deadline else { break }
            swap(child, parent)
            child = parent
        }
        return child
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count {
                if entries[child].deadline < entries[least].deadline { least = child }
            }
            guard least != parent else { return }
            swap(parent, least)
            parent = least
        }
    }

    private mutating func swap(_ one: Int, _ other: Int) {
        entries.swapAt(one, other)
        positions[entries[one].key] = one
        positions[entries[other].key] = other
    }
}
