/// A factory all of whose attributes have defaults.
public protocol DefaultFactory: Factory {
    /// With its defaults.
    init()
}

/// So many of what a factory makes, `2`, or just these, `[SectionFactory(text: "…"), SectionFactory()]`.
public struct Several<Made: DefaultFactory>: Sendable, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
    let factories: [Made]

    /// These.
    public init(_ factories: [Made]) {
        self.factories = factories
    }

    /// So many, each with defaults of its own.
    public init(_ count: Int) {
        factories = (0..<count).map { _ in Made() }
    }

    /// `2`
    public init(integerLiteral count: Int) {
        self.init(count)
    }

    /// `["Ada", "Grace"]`
    public init(arrayLiteral factories: Made...) {
        self.init(factories)
    }
}
