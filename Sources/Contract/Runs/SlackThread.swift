public import Wire

/// A thread in Slack under which the reader waits.
public struct SlackThread: Codable, Sendable, Equatable {
    /// The channel's id, such as `C0123ABCD`; that of a direct message begins with `D`.
    public var channel: String
    /// The timestamp of the thread's first message, such as `1700000000.000100`.
    public var thread: String

    /// From its parts.
    public init(channel: String, thread: String) {
        self.channel = channel
        self.thread = thread
    }

    /// Refuses what Slack never gives out. Errors: `invalid_argument`.
    public func check() throws(ServiceError) {
        let id = channel.utf8
        guard (2...32).contains(id.count), "CDG".utf8.contains(id.first ?? 0),
            id.allSatisfy({ (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) })
        else {
            throw .invalidArgument(#"The "channel" of a Slack thread is an id such as C0123ABCD, not a name."#)
        }
        let parts = thread.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 2, (1...12).contains(parts[0].count), parts[1].count == 6,
            parts.joined().allSatisfy({ (0x30...0x39).contains($0) })
        else {
            throw .invalidArgument(#"The "thread" of a Slack thread is a timestamp such as "1700000000.000100"."#)
        }
    }
}
