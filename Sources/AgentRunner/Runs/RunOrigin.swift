import Contract

extension RunExecution {
    /// Where the run came from.
    enum Origin: Sendable {
        /// A reader waits, perhaps in Slack: the run has to be opened. One that is new was never asked for before.
        case live(RunPolicy, slack: SlackThread? = nil, isWatched: Bool = true, isNew: Bool = false)
        /// Leased by storage, after another runner was lost or for a run accepted for later.
        case claimed(attempt: Int, next: Int)

        /// The attempt its lease is for; that of an opened run is the first.
        var attempt: Int { if case .claimed(let attempt, _) = self { attempt } else { 1 } }
        /// Whether nobody has asked for it before.
        var isNew: Bool { if case .live(_, _, _, let isNew) = self { isNew } else { false } }
        /// The number of its next event, the first shown here.
        var next: Int { if case .claimed(_, let next) = self { next } else { 1 } }
    }
}
