/// A reader. Errors: `not_found`.
public struct GetReader: Operation {
    /// The name on the wire.
    public static let name = "readers.get"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .agentRunner, .admin]
    /// What it answers with.
    public typealias Result = Reader

    /// The reader.
    public var reader: Int

    /// The call with its arguments.
    public init(_ reader: Int) {
        self.reader = reader
    }
}

/// The readers, by id. A page of up to 500 begins behind `after`.
public struct ListReaders: Operation {
    /// The name on the wire.
    public static let name = "readers.list"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .agentRunner, .admin]

    /// A page of readers.
    public struct Result: Codable, Sendable, Equatable {
        /// By id.
        public var readers: [Reader]
        /// The `after` of the next page; absent on the last one.
        public var next: Int?
    }

    /// The page begins behind this reader; 0 for the first.
    public var after: Int
    /// Readers on a page, 1 to 500.
    public var limit: Int

    /// The call with its arguments.
    public init(after: Int = 0, limit: Int = 100) {
        self.after = after
        self.limit = limit
    }
}

/// Makes a reader. Errors: `already_exists` when there is one of that handle.
public struct CreateReader: Operation {
    /// The name on the wire.
    public static let name = "readers.create"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .admin]
    /// What it answers with.
    public typealias Result = Reader

    /// What others know the reader by, 1 to 200 characters.
    public var handle: String
    /// The name, 1 to 300 characters.
    public var name: String

    /// The call with its arguments.
    public init(handle: String, name: String) {
        self.handle = handle
        self.name = name
    }
}

/// Gives a reader another name. Errors: `not_found`.
public struct SetReaderName: Operation {
    /// The name on the wire.
    public static let name = "readers.set_name"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .admin]
    /// What it answers with.
    public typealias Result = Reader

    /// The reader.
    public var reader: Int
    /// The name, 1 to 300 characters.
    public var name: String

    /// The call with its arguments.
    public init(_ reader: Int, to name: String) {
        self.reader = reader
        self.name = name
    }
}

/// Deletes a reader and the reading list. Errors: `not_found`.
public struct DeleteReader: Operation {
    /// The name on the wire.
    public static let name = "readers.delete"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// It is done.
    public typealias Result = Done

    /// The reader.
    public var reader: Int

    /// The call with its arguments.
    public init(_ reader: Int) {
        self.reader = reader
    }
}
