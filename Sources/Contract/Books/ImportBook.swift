/// Begins reading documentation into the book of that title, which is made when it does not exist. The authors replace
/// those it had. Nothing changes for readers until `FinishImport`.
public struct BeginImport: Operation {
    /// The name on the wire.
    public static let name = "books.begin_import"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]

    /// The book, and the number of this import of it.
    public struct Result: Codable, Sendable, Equatable {
        /// The book.
        public var book: Int
        /// The number of the import.
        public var `import`: Int
    }

    /// The title.
    public var title: String
    /// The authors, in their order.
    public var authors: [String]
    /// The files and folders it is read from: absolute paths on the importing machine, at most 16. They replace those it
    /// had.
    public var sources: [String]

    /// The call with its arguments.
    public init(title: String, authors: [String], sources: [String] = []) {
        self.title = title
        self.authors = authors
        self.sources = sources
    }

    /// What is left out is empty.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        title = try values.decode(String.self, forKey: .title)
        authors = try values.decode([String].self, forKey: .authors)
        sources = try values.decodeIfPresent([String].self, forKey: .sources) ?? []
    }
}

/// Brings documents of an import. One that is stored already with the same words is left as it is, with its section ids.
/// Sending the same again is harmless. Errors: `failed_precondition` when a newer import of the book has begun.
public struct PutDocuments: Operation {
    /// The name on the wire.
    public static let name = "books.put_documents"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]

    /// A file of documentation as sections.
    public struct Document: Codable, Sendable, Equatable {
        /// The source file.
        public var file: String
        /// The sections.
        public var sections: [SectionText]

        /// From its parts.
        public init(file: String, sections: [SectionText]) {
            self.file = file
            self.sections = sections
        }
    }

    /// A section as it is read from a file.
    public struct SectionText: Codable, Sendable, Equatable {
        /// The heading path, the section's own heading last.
        public var headings: [String]
        /// The fragment that leads to it within the file.
        public var anchor: String
        /// Its text.
        public var text: String

        /// From its parts.
        public init(headings: [String], anchor: String, text: String) {
            self.headings = headings
            self.anchor = anchor
            self.text = text
        }
    }

    /// How many documents were new or other than stored.
    public struct Result: Codable, Sendable, Equatable {
        /// New, or other than stored.
        public var changed: Int
        /// Stored already with the same words.
        public var unchanged: Int
    }

    /// The book.
    public var book: Int
    /// The number of the import.
    public var `import`: Int
    /// The documents.
    public var documents: [Document]

    /// The call with its arguments.
    public init(book: Int, import: Int, documents: [Document]) {
        self.book = book
        self.import = `import`
        self.documents = documents
    }
}

/// Ends an import: what was not brought this time goes, what changed appears, the words are indexed; all at once.
public struct FinishImport: Operation {
    /// The name on the wire.
    public static let name = "books.finish_import"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]

    /// What the book holds now.
    public struct Result: Codable, Sendable, Equatable {
        /// The documents.
        public var documents: Int
        /// The sections.
        public var sections: Int
        /// Those that were not brought this time, and went.
        public var removed: Int

        /// From its parts.
        public init(documents: Int, sections: Int, removed: Int) {
            self.documents = documents
            self.sections = sections
            self.removed = removed
        }
    }

    /// The book.
    public var book: Int
    /// The number of the import.
    public var `import`: Int

    /// The call with its arguments.
    public init(book: Int, import: Int) {
        self.book = book
        self.import = `import`
    }
}
