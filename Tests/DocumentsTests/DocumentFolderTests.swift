import FoundationEssentials
import Glibc
import Testing

@testable import Documents

@Suite("DocumentFolder", .serialized)
struct DocumentFolderTests {
    /// A folder of its own for each test, removed when done.
    private func inFolder(_ body: (String) throws -> Void) throws {
        let root = FileManager.default.temporaryDirectory.path() + "/documents-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: root) }
        try body(root)
    }

    private func write(_ text: String, _ path: String) throws {
        let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    @Test func documentsAreFoundSortedWithOthersPassedOver() throws {
        try inFolder { root in
            for name in ["b.md", "a/z.HTML", "a.md", "a/.hidden.md", ".git/x.md", "c.png", "B.markdown", "d"] {
                try write("# \(name)", root + "/" + name)
            }
            let folder = try DocumentFolder(root)
            #expect(folder.files == ["B.markdown", "a.md", "a/z.HTML", "b.md"])
            #expect(folder.otherFiles == 2)
            #expect(folder.omissions.isEmpty)
            #expect(try folder.read("b.md").title == "b.md")
        }
    }

    @Test func linksPipesAndLargeFilesAreLeftOutWithTheReason() throws {
        try inFolder { root in
            try write("x", root + "/real.md")
            let manager = FileManager.default
            try manager.createSymbolicLink(atPath: root + "/link.md", withDestinationPath: "real.md")
            try manager.createSymbolicLink(atPath: root + "/loop", withDestinationPath: ".")
            try write(String(repeating: "a", count: Document.byteLimit + 1), root + "/large.md")
            #expect(mkfifo(root + "/pipe.md", 0o600) == 0)
            let folder = try DocumentFolder(root)
            #expect(folder.files == ["real.md"])
            #expect(folder.omissions.map(\.path) == ["large.md", "link.md", "loop", "pipe.md"])
            #expect(folder.omissions.map(\.reason) == [.tooLarge, .symbolicLink, .symbolicLink, .notAFile])
            #expect(folder.omissions.allSatisfy { $0.description.hasPrefix($0.path + ": ") })
            // What was a file when the folder was walked may be something else when it is read.
            #expect(throws: DocumentError.notAFile) { try folder.read("link.md") }
            #expect(throws: DocumentError.notAFile) { try folder.read("pipe.md") }
            #expect(throws: DocumentError.tooLarge(limit: Document.byteLimit)) { try folder.read("large.md") }
            #expect(throws: DocumentError.unreadable(errno: ENOENT)) { try folder.read("gone.md") }
            #expect(throws: DocumentError.unknownFormat) { try folder.read("loop") }
        }
    }

    @Test func foldersNestedTooDeepAreLeftOut() throws {
        try inFolder { root in
            let deep = Array(repeating: "d", count: DocumentFolder.depthLimit).joined(separator: "/")
            try write("x", root + "/" + deep + "/in.md")
            try write("x", root + "/" + deep + "/d/out.md")
            let folder = try DocumentFolder(root)
            #expect(folder.files == [deep + "/in.md"])
            #expect(folder.omissions.map(\.path) == [deep + "/d"])
            #expect(folder.omissions.map(\.reason) == [.tooDeep])
        }
    }

    @Test func oneFileIsAFolderOfOne() throws {
        try inFolder { root in
            try write("# T\nx", root + "/a.md")
            let folder = try DocumentFolder(root + "/a.md")
            #expect(folder.files == ["a.md"])
            #expect(try folder.read("a.md").text == "x")
        }
    }

    @Test func whatCannotBeReadIsRefused() throws {
        try inFolder { root in
            try write("x", root + "/a.png")
            #expect(throws: DocumentError.unreadable(errno: ENOENT)) { try DocumentFolder(root + "/none") }
            #expect(throws: DocumentError.unknownFormat) { try DocumentFolder(root + "/a.png") }
            #expect(throws: DocumentError.notAFile) { try DocumentFolder("/dev/null") }
        }
    }

    @Test(arguments: [
        ("a.md", DocumentFormat.markdown), ("A.MDX", .markdown), ("x/y.htm", .html), ("y.xhtml", .html),
        ("md", nil), (".md", nil), ("a.md/b", nil), ("a.md.bak", nil), ("", nil),
    ])
    func theExtensionNamesTheFormat(path: String, format: DocumentFormat?) {
        #expect(DocumentFormat(path: path) == format)
    }
}
