/// An entity that is in storage; its attributes are read as if it were the entity itself. Only a factory makes one, so that
/// whoever takes it can rely on that.
@dynamicMemberLookup
public struct Stored<Entity: Sendable>: Source {
    /// The entity as storage gave it.
    public let value: Entity

    /// An attribute of the entity.
    public subscript<Value>(dynamicMember attribute: KeyPath<Entity, Value>) -> Value { value[keyPath: attribute] }

    /// It is there already.
    public func stored() -> Stored { self }

    /// The entity.
    public func plain() -> Entity { value }
}
