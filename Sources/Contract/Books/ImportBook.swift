/// Begins reading documentation into the book of that title, which is made when it does not exist. The authors replace
/// those it had. Nothing changes for readers until `FinishImport`.
public struct BeginImport: Operation {
    public static let name = "books.begin_import"
    public static let callers: Set<Role> = [.admin]

    /// The book, and the number of this import of it.
    public struct Result: Codable, Sendable, Equatable {
        public var book: Int
        public var `import`: Int
    }

    public var title: String
    public var authors: [String]

    public init(title: String, authors: [String]) {
        self.title = title
        self.authors = authors
    }
}

/// Brings documents of an import. One that is stored already with the same words is left as it is, with its section ids.
/// Sending the same again is harmless. Errors: `failed_precondition` when a newer import of the book has begun.
public struct PutDocuments: Operation {
    public static let name = "books.put_documents"
    public static let callers: Set<Role> = [.admin]

    /// A file of documentation as sections.
    public struct Document: Codable, Sendable, Equatable {
        public var file: String
        public var sections: [SectionText]

        public init(file: String, sections: [SectionText]) {
            self.file = file
            self.sections = sections
        }
    }

    /// A section as it is read from a file.
    public struct SectionText: Codable, Sendable, Equatable {
        public var headings: [String]
        public var anchor: String
        public var text: String

        public init(headings: [String], anchor: String, text: String) {
            self.headings = headings
            self.anchor = anchor
            self.text = text
        }
    }

    /// How many documents were new or other than stored.
    public struct Result: Codable, Sendable, Equatable {
        public var changed: Int
        public var unchanged: Int
    }

    public var book: Int
    public var `import`: Int
    public var documents: [Document]

    public init(book: Int, import: Int, documents: [Document]) {
        self.book = book
        self.import = `import`
        self.documents = documents
    }
}

/// Ends an import: what was not brought this time goes, what changed appears, the words are indexed; all at once.
public struct FinishImport: Operation {
    public static let name = "books.finish_import"
    public static let callers: Set<Role> = [.admin]

    /// What the book holds now.
    public struct Result: Codable, Sendable, Equatable {
        public var documents: Int
        public var sections: Int
        public var removed: Int

        public init(documents: Int, sections: Int, removed: Int) {
            self.documents = documents
            self.sections = sections
            self.removed = removed
        }
    }

    public var book: Int
    public var `import`: Int

    public init(book: Int, import: Int) {
        self.book = book
        self.import = `import`
    }
}
