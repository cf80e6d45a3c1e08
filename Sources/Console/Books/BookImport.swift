import Contract
import Documents
import FoundationEssentials
import RPC
import Wire

/// Reads documentation from files and brings it to storage in batches.
struct BookImport {
    /// What an import came to.
    struct Report: Codable, Sendable {
        var book: Int
        var documents: Int
        var sections: Int
        var changed: Int
        var removed: Int
        /// Files that were left out, with the reason.
        var skipped: [String]

        func json() throws -> String { try JSON(encoding: self).description }
    }

    /// Well below a frame, so that escapes and the envelope fit.
    private static let batchBytes = 500_000
    private static let batchDocuments = 200

    /// A file to read, and the name it is stored under.
    private struct Source {
        var folder: DocumentFolder
        var file: String
        var name: String
    }

    /// Folders and files; with several, a folder's name goes before its files'.
    let paths: [String]
    let title: String
    let authors: [String]
    let storage: RPCClient
    let progress: Terminal

    func run() async throws -> Report {
        let folders = try paths.map(Self.folder)
        let omissions = folders.flatMap(\.omissions).map { "\($0)" }
        for omission in omissions { progress.line("left out: \(Terminal.harmless(omission))") }
        let sources = folders.flatMap(sources)
        guard !sources.isEmpty else {
            let place = paths.joined(separator: ", ")
            throw Failure("There is no Markdown or HTML in \(place) (.md, .markdown, .html, .htm, .xhtml).")
        }
        let begun = try await storage.perform(
            BeginImport(title: title, authors: authors, sources: paths.map(Self.absolute))
        )
        var report = Report(book: begun.book, documents: 0, sections: 0, changed: 0, removed: 0, skipped: omissions)
        var batch = Batch(begun: begun)
        for (number, source) in sources.enumerated() {
            progress.progress("reading \(number + 1)/\(sources.count)  \(Terminal.harmless(source.name))")
            do {
                batch.add(try Self.document(source))
            } catch {
                let omission = "\(source.name): \(error)"
                report.skipped.append(omission)
                progress.clearProgress()
                progress.line("left out: \(Terminal.harmless(omission))")
            }
            if batch.bytes >= Self.batchBytes || batch.documents.count >= Self.batchDocuments {
                report.changed += try await put(&batch)
            }
        }
        report.changed += try await put(&batch)
        progress.progress("indexing \(sources.count) files…")
        let finish = FinishImport(book: begun.book, import: begun.import)
        let finished = try await storage.perform(finish, deadline: .seconds(300))
        progress.clearProgress()
        report.documents = finished.documents
        report.sections = finished.sections
        report.removed = finished.removed
        return report
    }

    /// So that it is found again from elsewhere.
    private static func absolute(_ path: String) -> String {
        path.utf8.first == UInt8(ascii: "/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    private static func folder(_ path: String) throws -> DocumentFolder {
        do {
            return try DocumentFolder(path)
        } catch {
            throw Failure("\(path) cannot be imported: \(error).")
        }
    }

    private func sources(of folder: DocumentFolder) -> [Source] {
        let isWholeFolder =
            folder.path.utf8.last != UInt8(ascii: "/") && !folder.path.hasSuffix(folder.files.first ?? "/")
        let last = folder.path.split(separator: "/").last.map(String.init) ?? ""
        let prefix = paths.count > 1 && isWholeFolder ? last + "/" : ""
        return folder.files.map { Source(folder: folder, file: $0, name: prefix + $0) }
    }

    private static func document(_ source: Source) throws -> PutDocuments.Document {
        let document = try source.folder.read(source.file)
        return PutDocuments.Document(
            file: source.name,
            sections: document.sections.map {
                PutDocuments.SectionText(headings: $0.headings, anchor: $0.anchor, text: $0.text)
            }
        )
    }

    private func put(_ batch: inout Batch) async throws -> Int {
        defer { batch.clear() }
        guard !batch.documents.isEmpty else { return 0 }
        var changed = 0
        for put in batch.puts(maximumBytes: Self.batchBytes) {
            changed += try await storage.perform(put, deadline: .seconds(60)).changed
        }
        return changed
    }
}

/// Documents on their way, with an estimate of their size on the wire.
private struct Batch {
    let begun: BeginImport.Result
    private(set) var documents: [PutDocuments.Document] = []
    private(set) var bytes = 0

    init(begun: BeginImport.Result) {
        self.begun = begun
    }

    mutating func add(_ document: PutDocuments.Document) {
        documents.append(document)
        bytes += Self.size(document)
    }

    mutating func clear() {
        documents.removeAll()
        bytes = 0
    }

    /// The documents in calls that fit a frame. A single larger document goes in parts, named `file`, `file (2)`, …:
    /// a document is replaced as a whole, so its parts have to be documents of their own.
    func puts(maximumBytes: Int) -> [PutDocuments] {
        var puts: [PutDocuments] = []
        var current: [PutDocuments.Document] = []
        var size = 0
        for document in documents.flatMap({ Self.parts(of: $0, maximumBytes: maximumBytes) }) {
            let own = Self.size(document)
            if size + own > maximumBytes, !current.isEmpty {
                puts.append(PutDocuments(book: begun.book, import: begun.import, documents: current))
                current = []
                size = 0
            }
            current.append(document)
            size += own
        }
        if !current.isEmpty { puts.append(PutDocuments(book: begun.book, import: begun.import, documents: current)) }
        return puts
    }

    private static func parts(of document: PutDocuments.Document, maximumBytes: Int) -> [PutDocuments.Document] {
        guard size(document) > maximumBytes else { return [document] }
        var parts: [PutDocuments.Document] = []
        var sections: [PutDocuments.SectionText] = []
        var size = 0
        func finish() {
            let file = parts.isEmpty ? document.file : "\(document.file) (\(parts.count + 1))"
            parts.append(PutDocuments.Document(file: file, sections: sections))
            sections = []
            size = 0
        }
        for section in document.sections {
            if size > 0, size + Self.size(section) > maximumBytes { finish() }
            sections.append(section)
            size += Self.size(section)
        }
        finish()
        return parts
    }

    private static func size(_ document: PutDocuments.Document) -> Int {
        document.sections.reduce(document.file.utf8.count + 64) { $0 + size($1) }
    }

    private static func size(_ section: PutDocuments.SectionText) -> Int {
        // An escape doubles a newline or a quotation mark; prose has few of them.
        section.headings.reduce(section.text.utf8.count * 5 / 4 + section.anchor.utf8.count + 64) {
            $0 + $1.utf8.count + 4
        }
    }
}
