/// The statements that were slow lately.
struct SlowStatements {
    typealias Instant = ContinuousClock.Instant

    /// Any statement is slow when the server is busy for a moment, and apart from the others it costs that server several
    /// times as much: after the first time it is tried again soon.
    static let shortest: Duration = .seconds(1)
    /// One that is slow each time is tried this seldom. After as long without being slow it is as good as any other.
    static let longest: Duration = .seconds(60)
    /// Statements of a program are a catalogue smaller than this.
    static let limit = 256

    private struct Memory {
        var pause: Duration
        var end: Instant
    }

    private var memories: [String: Memory] = [:]

    func contains(_ sql: String, now: Instant) -> Bool {
        // Mostly there is none, and then the text need not be hashed.
        guard !memories.isEmpty, let memory = memories[sql] else { return false }
        return now < memory.end
    }

    /// It was slow: for how long depends on whether it was lately.
    mutating func insert(_ sql: String, now: Instant) {
        if let memory = memories[sql] {
            // Several of one batch are one occasion.
            guard now >= memory.end else { return }
            let isRecent = now < memory.end + Self.longest
            let pause = isRecent ? min(memory.pause * 2, Self.longest) : Self.shortest
            memories[sql] = Memory(pause: pause, end: now + pause)
            return
        }
        if memories.count >= Self.limit {
            memories = memories.filter { now < $0.value.end + Self.longest }
            if memories.count >= Self.limit, let oldest = memories.min(by: { $0.value.end < $1.value.end }) {
                memories[oldest.key] = nil
            }
        }
        memories[sql] = Memory(pause: Self.shortest, end: now + Self.shortest)
    }
}
