public import RPC

/// A recipe for an entity: its attributes, each with a default that is unique where it has to be.
///
///     let reader = ReaderFactory(name: "Ada").build()
///
/// One more factory is one more file: a struct with optional attributes, `build`, and `store` if it can be stored.
public protocol Factory<Entity>: Sendable {
    /// What it makes.
    associatedtype Entity: Sendable
    /// A plain value; nothing is stored, and its id is one that nothing stored has.
    func build() -> Entity
}

/// A recipe for an entity that can be stored, with those it refers to.
///
///     let entry = try await ReadingListEntryFactory(reader: ReaderFactory(name: "Ada")).create()
public protocol StoringFactory<Entity>: Factory, Source {
    /// Stores one, and gives it as storage does. For `create`.
    func store(in storage: RPCClient) async throws -> Entity
}

/// What a factory refers to: an entity that is stored, or the factory that stores one. Never both, and never one that was
/// only built.
public protocol Source<Entity>: Sendable {
    /// What it is a source of.
    associatedtype Entity: Sendable
    /// The entity, stored now if it was not before.
    func stored() async throws -> Stored<Entity>
    /// The entity as a plain value, for one that is only built.
    func plain() -> Entity
}

extension Factory {
    /// Several plain values, each with defaults of its own.
    public func build(_ count: Int) -> [Entity] { (0..<count).map { _ in build() } }
}

extension StoringFactory {
    /// Stores one in the storage of the test (`TestStorage.client`), through its operations.
    public func create() async throws -> Stored<Entity> {
        Stored(value: try await store(in: TestStorage.client))
    }

    /// Stores several, one after the other, each with defaults of its own.
    public func create(_ count: Int) async throws -> [Stored<Entity>] {
        var entities: [Stored<Entity>] = []
        for _ in 0..<count { entities.append(try await create()) }
        return entities
    }

    /// One more for whoever refers to it.
    public func stored() async throws -> Stored<Entity> { try await create() }

    /// One that is only built.
    public func plain() -> Entity { build() }
}

/// What was stored is not there.
struct FactoryError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
