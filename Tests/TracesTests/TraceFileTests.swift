import FoundationEssentials
import Glibc
import NIOCore
import Testing

@testable import Traces

@Suite struct TraceFileTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/octavo-traces-XXXXXX".utf8CString)
        let folder = String(cString: try #require(mkdtemp(&template)))
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func eachBatchIsALine() throws {
        try withFolder { folder in
            let file = TraceFile(folder: folder + "/new", name: "octavo-gateway")
            #expect(file.write(ByteBuffer(string: "{}")) && file.write(ByteBuffer(string: "[]")))
            #expect(text(folder + "/new/octavo-gateway.jsonl") == "{}\n[]\n")
        }
    }

    @Test func aLargeFileGetsANumberAndTheOldestGoes() throws {
        try withFolder { folder in
            let file = TraceFile(folder: folder, name: "a", mostBytes: 10)
            for number in 0..<9 { #expect(file.write(ByteBuffer(string: "batch \(number)"))) }
            let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            #expect(names == ["a.1.jsonl", "a.2.jsonl", "a.3.jsonl", "a.jsonl"])
            #expect(text(folder + "/a.jsonl") == "batch 8\n" && text(folder + "/a.3.jsonl") == "batch 5\n")
        }
    }

    @Test func aFolderThatCannotBeWrittenLosesNothingByItself() async throws {
        let file = TraceFile(folder: "/proc/no-such-place", name: "a")
        #expect(await file.deliver(ByteBuffer(string: "{}"), until: .now + .seconds(1)) == .again(after: nil))
    }

    @Test func aLinkIsNotFollowed() throws {
        try withFolder { folder in
            #expect(symlink("\(folder)/elsewhere", "\(folder)/a.jsonl") == 0)
            #expect(!TraceFile(folder: folder, name: "a").write(ByteBuffer(string: "{}")))
            #expect(text(folder + "/elsewhere") == nil)
        }
    }
}
