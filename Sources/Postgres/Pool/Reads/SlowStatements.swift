/// The statements that were slow lately.
struct SlowStatements {
    typealias Instant = ContinuousClock.Instant

    /// A server that was busy for a moment makes many statements slow; later they deserve another try.
    static let memory: Duration = .seconds(60)
    /// Statements of a program are a catalogue smaller than this.
    static let limit = 256

    private var forgottenAt: [String: Instant] = [:]

    func contains(_ sql: String, now: Instant) -> Bool {
        // Mostly there is none, and then the text need not be hashed.
        guard !forgottenAt.isEmpty, let end = forgottenAt[sql] else { return false }
        return now < end
    }

    mutating func insert(_ sql: String, now: Instant) {
        if forgottenAt.count >= Self.limit {
            forgottenAt = forgottenAt.filter { now < $0.value }
            if forgottenAt.count >= Self.limit, let oldest = forgottenAt.min(by: { $0.value < $1.value }) {
                forgottenAt[oldest.key] = nil
            }
        }
        forgottenAt[sql] = now + Self.memory
    }
}
