import Glibc

/// The documents in a folder, or one document by itself.
///
/// Symbolic links are not followed, whether to files or folders; hidden files and folders (`.git`) are passed over, as
/// are files that are neither Markdown nor HTML.
public struct DocumentFolder: Sendable {
    /// A file or folder that was left out although it might have been expected.
    public struct Omission: Sendable, Equatable, CustomStringConvertible {
        /// Why it was left out.
        public enum Reason: Sendable, Equatable {
            /// It is a symbolic link.
            case symbolicLink
            /// It is larger than ``Document/byteLimit``.
            case tooLarge
            /// The folder is nested deeper than ``DocumentFolder/depthLimit``.
            case tooDeep
            /// It, and all that follows in order, is beyond ``DocumentFolder/fileLimit``.
            case tooMany
            /// It is a device, pipe or socket.
            case notAFile
            /// It could not be looked at; the system's error number says why.
            case unreadable(errno: Int32)
            /// Its name is not UTF-8, and is shown repaired.
            case invalidName
        }

        /// The path, relative to the folder.
        public let path: String
        /// Why it was left out.
        public let reason: Reason

        /// The path and the reason, for a person.
        public var description: String {
            switch reason {
            case .symbolicLink: "\(path): a symbolic link, which is not followed"
            case .tooLarge: "\(path): larger than \(Document.byteLimit) bytes"
            case .tooDeep: "\(path): nested deeper than \(DocumentFolder.depthLimit) folders"
            case .tooMany: "\(path): beyond \(DocumentFolder.fileLimit) documents, with all that follow"
            case .notAFile: "\(path): not a regular file"
            case .unreadable(let errno): "\(path): cannot be read (errno \(errno))"
            case .invalidName: "\(path): its name is not UTF-8"
            }
        }
    }

    /// The most documents taken from a folder: some fifteen times PostgreSQL's manual.
    public static let fileLimit = 20_000
    /// The deepest that folders may be nested.
    public static let depthLimit = 32
    /// The most entries looked at, documents or not, so that a folder of anything at all comes to an end.
    static let entryLimit = 500_000

    /// The folder's or the one document's path, as given.
    public let path: String
    /// The documents' paths relative to the folder, sorted by their bytes; for one file, its name.
    public private(set) var files: [String] = []
    /// What was left out, in the order in which it was found.
    public private(set) var omissions: [Omission] = []
    /// How many files were passed over because they are neither Markdown nor HTML.
    public private(set) var otherFiles = 0

    private let root: String
    private var entries = 0

    /// Looks for documents. What is in them is read only by ``read(_:)``.
    ///
    /// - Parameter path: a folder, or a document. A symbolic link is followed here and only here: who gives the path
    ///   says so.
    /// - Throws: ``DocumentError/unreadable(errno:)`` if there is nothing at the path or it may not be looked at,
    ///   ``DocumentError/unknownFormat`` or ``DocumentError/notAFile`` if it is another kind of file.
    public init(_ path: String) throws(DocumentError) {
        self.path = path
        var status = stat()
        guard stat(path, &status) == 0 else { throw .unreadable(errno: errno) }
        if status.isFolder {
            root = path
            walk()
            return
        }
        guard status.isFile else { throw .notAFile }
        guard DocumentFormat(path: path) != nil else { throw .unknownFormat }
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        root = slash.map { String(path[...$0]) } ?? "."
        let name = slash.map { String(path[path.utf8.index(after: $0)...]) } ?? path
        if status.st_size > Document.byteLimit {
            omissions = [Omission(path: name, reason: .tooLarge)]
        } else {
            files = [name]
        }
    }

    /// Reads one of ``files``.
    ///
    /// The file may have changed since: it is opened without following a symbolic link, and read up to the limit.
    public func read(_ file: String) throws(DocumentError) -> Document {
        guard let format = DocumentFormat(path: file) else { throw .unknownFormat }
        return try Document(bytes(of: root + "/" + file), format: format, name: file)
    }
}

// MARK: Walking

extension DocumentFolder {
    /// Visits folders depth first without recursion; what is pushed last is visited first.
    private mutating func walk() {
        var pending = [(path: "", depth: 0)]
        while let folder = pending.popLast() {
            var folders: [(path: String, depth: Int)] = []
            for name in names(in: folder.path) {
                let path = folder.path.isEmpty ? name : folder.path + "/" + name
                guard files.count < Self.fileLimit, entries < Self.entryLimit else {
                    omissions.append(Omission(path: path, reason: .tooMany))
                    return sort()
                }
                entries += 1
                if visit(path, depth: folder.depth) { folders.append((path, folder.depth + 1)) }
            }
            pending.append(contentsOf: folders.reversed())
        }
        sort()
    }

    private mutating func sort() {
        files.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Takes note of one entry; true if it is a folder to be visited.
    private mutating func visit(_ path: String, depth: Int) -> Bool {
        var status = stat()
        guard lstat(root + "/" + path, &status) == 0 else {
            omissions.append(Omission(path: path, reason: .unreadable(errno: errno)))
            return false
        }
        let isDocument = DocumentFormat(path: path) != nil
        if status.isFolder {
            if depth < Self.depthLimit { return true }
            omissions.append(Omission(path: path, reason: .tooDeep))
        } else if status.isLink {
            omissions.append(Omission(path: path, reason: .symbolicLink))
        } else if !isDocument {
            otherFiles += 1
        } else if !status.isFile {
            omissions.append(Omission(path: path, reason: .notAFile))
        } else if status.st_size > Document.byteLimit {
            omissions.append(Omission(path: path, reason: .tooLarge))
        } else {
            files.append(path)
        }
        return false
    }

    /// The names in a folder that are not hidden, sorted by their bytes.
    private mutating func names(in folder: String) -> [String] {
        guard let directory = opendir(root + "/" + folder) else {
            omissions.append(Omission(path: folder.isEmpty ? "." : folder, reason: .unreadable(errno: errno)))
            return []
        }
        defer { closedir(directory) }
        var names: [String] = []
        while names.count < Self.entryLimit, let entry = readdir(directory) {
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if bytes.first == UInt8(ascii: ".") { continue }
            if let name = String(validating: bytes, as: UTF8.self) {
                names.append(name)
            } else {
                let name = (folder.isEmpty ? "" : folder + "/") + String(decoding: bytes, as: UTF8.self)
                omissions.append(Omission(path: name, reason: .invalidName))
            }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

// MARK: Reading

extension DocumentFolder {
    /// A regular file's bytes, at most one more than the limit, so that too large a file is known as such.
    private func bytes(of path: String) throws(DocumentError) -> [UInt8] {
        // Not blocking, lest a pipe of that name wait for a writer.
        let file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { throw errno == ELOOP ? .notAFile : .unreadable(errno: errno) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .unreadable(errno: errno) }
        guard status.isFile else { throw .notAFile }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(Int(status.st_size), Document.byteLimit) + 1)
        var chunk = [UInt8](repeating: 0, count: 65536)
        while bytes.count <= Document.byteLimit {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable(errno: errno) }
            if count == 0 { break }
            bytes.append(contentsOf: chunk[..<count])
        }
        return bytes
    }
}

extension stat {
    fileprivate var isFolder: Bool { st_mode & S_IFMT == S_IFDIR }
    fileprivate var isLink: Bool { st_mode & S_IFMT == S_IFLNK }
    fileprivate var isFile: Bool { st_mode & S_IFMT == S_IFREG }
}
