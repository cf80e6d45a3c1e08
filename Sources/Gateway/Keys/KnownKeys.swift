import Contract

/// The keys that were found to be in force: pure. Those of a moment ago count without asking storage; those of longer ago
/// are told from keys that were never right, which anybody can send.
struct KnownKeys {
    typealias Instant = ContinuousClock.Instant

    /// For so long a key is taken for what storage said of it: a key that is revoked works no longer than this.
    static let life = Duration.seconds(5)
    /// From then on storage is asked again while the key still counts, so that those who use it never wait.
    static let fresh = Duration.seconds(2.5)
    /// More keys than can be in force at once; one that is pushed out is asked for again.
    static let most = CreateKey.most

    private struct Entry {
        var digest: KeyDigest
        var checked: Instant
        var isBeingChecked = false
    }

    /// What is known of a key.
    enum Standing: Equatable {
        case unknown
        /// It was in force when storage was last asked, which is too long ago.
        case old
        case inForce
        /// It is in force, and whoever got this answer asks storage again; others get `inForce` meanwhile.
        case toCheck
    }

    private var entries: [Int: Entry] = [:]

    var count: Int { entries.count }

    mutating func standing(of key: APIKey, now: Instant) -> Standing {
        guard let entry = entries[key.id], entry.digest == key.digest else { return .unknown }
        guard entry.checked.duration(to: now) < Self.life else { return .old }
        guard !entry.isBeingChecked, entry.checked.duration(to: now) >= Self.fresh else { return .inForce }
        entries[key.id]?.isBeingChecked = true
        return .toCheck
    }

    /// Storage was asked at this time, and has said that the key is in force.
    mutating func inForce(_ key: APIKey, asked: Instant) {
        if entries[key.id] == nil, entries.count >= Self.most { makeRoom() }
        entries[key.id] = Entry(digest: key.digest, checked: asked)
    }

    /// Storage has said that it is not. A wrong secret under the number of a key in force says nothing about that one.
    mutating func refused(_ key: APIKey) {
        if entries[key.id]?.digest == key.digest { entries[key.id] = nil }
    }

    /// Storage could not be asked; the next one tries.
    mutating func notChecked(_ key: APIKey) {
        if entries[key.id]?.digest == key.digest { entries[key.id]?.isBeingChecked = false }
    }

    private mutating func makeRoom() {
        if let oldest = entries.min(by: { $0.value.checked < $1.value.checked })?.key { entries[oldest] = nil }
    }
}
