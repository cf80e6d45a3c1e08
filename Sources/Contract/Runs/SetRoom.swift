/// Says how many runs a runner wants to have at a time from now on, without its claim being made anew: 0 when it is being drained.
/// A claim that is being made at that moment may still bring some. Without an open claim on this storage nothing happens.
///
/// Errors: `invalid_argument`.
public struct SetRoom: Operation {
    /// The name on the wire.
    public static let name = "runs.set_room"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.agentRunner]
    /// What it answers with.
    public typealias Result = Done

    /// The runner, as it names itself.
    public var runner: String
    /// How many runs it wants to have at a time.
    public var room: Int

    /// The call with its arguments.
    public init(runner: String, room: Int) {
        self.runner = runner
        self.room = room
    }
}
