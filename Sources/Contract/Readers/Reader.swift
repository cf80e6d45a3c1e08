/// A member of staff who reads.
public struct Reader: Codable, Sendable, Equatable {
    /// Its id.
    public var id: Int
    /// What others know the reader by: a Slack user, a login. It never changes.
    public var handle: String
    /// The name, as shown.
    public var name: String

    /// From its parts.
    public init(id: Int, handle: String, name: String) {
        self.id = id
        self.handle = handle
        self.name = name
    }

    /// Characters of a handle.
    public static let handleLength = 1...200
    /// Characters of a name.
    public static let nameLength = 1...300
}
