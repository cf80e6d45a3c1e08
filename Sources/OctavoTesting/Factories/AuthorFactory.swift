public import Contract

/// Authors. They are stored with their book: `BookFactory(authors: ["Ada", "Grace"])`.
public struct AuthorFactory: DefaultFactory, ExpressibleByStringLiteral {
    private let name: String?

    /// A recipe; the name is unique unless it is given.
    public init(name: String? = nil) {
        self.name = name
    }

    /// One with a name of its own.
    public init() {
        self.init(name: nil)
    }

    /// `"Ada"`
    public init(stringLiteral name: String) {
        self.init(name: name)
    }

    /// A plain author.
    public func build() -> Book.Author { Book.Author(id: Unique.id(), name: name ?? Unique.text("Author")) }
}
