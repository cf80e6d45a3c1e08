/// Who brings the tables up to date: the setting `OCTAVO_MIGRATIONS`.
package enum MigrationPolicy: String, CaseIterable, Sendable {
    /// This process, when it starts.
    case apply
    /// Another one, whose role may change tables; this one waits until it has.
    case `await`
    /// This process, which then ends.
    case only
}
