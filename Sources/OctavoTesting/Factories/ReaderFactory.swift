public import Contract
public import RPC

/// Readers.
public struct ReaderFactory: StoringFactory {
    /// What it makes.
    public typealias Entity = Reader

    private let handle: String?
    private let name: String?

    /// A recipe; handle and name are unique unless they are given.
    public init(handle: String? = nil, name: String? = nil) {
        self.handle = handle
        self.name = name
    }

    /// A plain reader.
    public func build() -> Reader {
        Reader(id: Unique.id(), handle: handle ?? Unique.text("reader"), name: name ?? Unique.text("Reader"))
    }

    /// By `readers.create`.
    public func store(in storage: RPCClient) async throws -> Reader {
        let reader = build()
        return try await storage.perform(CreateReader(handle: reader.handle, name: reader.name))
    }
}
