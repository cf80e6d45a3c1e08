import Glibc

/// One unit of search and of citation: a stretch of a document's text under one heading.
public struct Section: Sendable, Equatable {
    /// The heading path, from the page's ancestor (if it names one) and title to the section's own heading. Where a
    /// page has several first headings and no title over them, the path begins at the nearest. Between 1 and 12 headings, each at most 300 characters.
    public var headings: [String]

    /// The fragment, not percent-encoded, that leads to the section in its source file; empty for the top of the file.
    /// The parts of one long section share it, as do headings without an anchor and the section they are in.
    public var anchor: String

    /// Plain text of at most 4,000 characters (so less than 16 KiB), with no control character but newline.
    /// A blank line separates paragraphs, `- ` or `1. ` begins a list item, code keeps its lines, and a table's row is
    /// a line whose cells are separated by ` | `. Empty when a heading has nothing below it.
    public var text: String

    /// A section from its parts; nothing is checked.
    public init(headings: [String], anchor: String, text: String) {
        self.headings = headings
        self.anchor = anchor
        self.text = text
    }
}

/// A file of documentation, read into sections.
public struct Document: Sendable, Equatable {
    /// The page's title: its first heading where `<title>` or the front matter agrees with it, else what those say,
    /// else the file's name.
    public var title: String

    /// The sections in reading order; never empty.
    public var sections: [Section]

    /// A document from its parts; nothing is checked.
    public init(title: String, sections: [Section]) {
        self.title = title
        self.sections = sections
    }
}

extension Document {
    /// The most bytes a file may have. The largest page of a real manual is under 1 MiB; a whole book in one file
    /// still fits. The worst file at the limit takes some two seconds and a few times its size in memory.
    public static let byteLimit = 8 << 20

    /// The most sections a file may have, so that a hostile file of nothing but headings cannot flood the search.
    public static let sectionLimit = 20_000

    /// Reads a file's bytes: UTF-8 (repaired where broken), UTF-16 with a byte order mark, or Latin-1 where the page
    /// declares it. Malformed markup is read as well as can be and is never an error.
    ///
    /// - Parameter name: the file's name or path, the title of last resort.
    /// - Throws: ``DocumentError/tooLarge(limit:)``, ``DocumentError/notText`` or
    ///   ``DocumentError/tooManySections(limit:)``.
    public init(_ bytes: [UInt8], format: DocumentFormat, name: String) throws(DocumentError) {
        guard bytes.count <= Self.byteLimit else { throw .tooLarge(limit: Self.byteLimit) }
        let text = try SourceText.decode(bytes)
        let outline: Outline
        switch format {
        case .html:
            var reader = HTMLReader()
            reader.read(text)
            reader.closeAll()
            outline = reader.outline
        case .markdown:
            var reader = MarkdownReader()
            reader.read(text)
            outline = reader.html.outline
        }
        self = try outline.document(name: name)
    }

    /// Reads a file's text; as ``init(_:format:name:)`` with its UTF-8.
    public init(_ text: String, format: DocumentFormat, name: String) throws(DocumentError) {
        try self.init(Array(text.utf8), format: format, name: name)
    }
}

/// A format that can be read.
public enum DocumentFormat: Sendable, Equatable {
    /// CommonMark with tables, front matter and `{#anchors}`.
    case markdown
    /// HTML or XHTML, well formed or not.
    case html

    /// The format a file's extension names, in any case; nil for files of other kinds.
    public init?(path: String) {
        let name = path.utf8.split(separator: UInt8(ascii: "/")).last ?? path.utf8[...]
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")), dot > name.startIndex else { return nil }
        switch String(name[name.index(after: dot)...])?.lowercased() {
        case "md", "mdx", "markdown": self = .markdown
        case "html", "htm", "xhtml": self = .html
        default: return nil
        }
    }
}

/// Why a file could not be read as a document.
public enum DocumentError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file is larger than the limit, in bytes. Split it.
    case tooLarge(limit: Int)
    /// The file is binary, whatever its name says.
    case notText
    /// The file has more headings than the limit. Split it.
    case tooManySections(limit: Int)
    /// The file could not be opened or read; the system's error number says why.
    case unreadable(errno: Int32)
    /// The path leads to something else than a regular file, such as a symbolic link or a socket.
    case notAFile
    /// The file's extension names no format that can be read.
    case unknownFormat

    /// A sentence for the person who gave the file.
    public var description: String {
        switch self {
        case .tooLarge(let limit): "the file is larger than \(limit) bytes; split it"
        case .notText: "the file is binary, not text"
        case .tooManySections(let limit): "the file has more than \(limit) sections; split it"
        case .unreadable(let errno): "it cannot be read: \(String(cString: strerror(errno)))"
        case .notAFile: "this is not a regular file"
        case .unknownFormat: "the file is neither Markdown nor HTML"
        }
    }
}
