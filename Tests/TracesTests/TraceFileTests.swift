import FoundationEssentials
import Glibc
import Logging
import NIOCore
import NIOPosix
import Testing
import Tracing
import Wire

@testable import Traces

@Suite struct TraceFileTests {
    private func withFolder(_ body: (String) async throws -> Void) async throws {
        var template = Array("/tmp/octavo-traces-XXXXXX".utf8CString)
        let folder = String(cString: try #require(mkdtemp(&template)))
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    private func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether it was written.
    private func write(_ batch: String, to file: TraceFile) -> Bool {
        let attempt = WriteAttempt()
        file.write(ByteBuffer(string: batch), attempt)
        return attempt.isOver
    }

    @Test func eachBatchIsALine() async throws {
        try await withFolder { folder in
            let file = TraceFile(folder: folder + "/new", name: "octavo-gateway")
            #expect(write("{}", to: file) && write("[]", to: file))
            #expect(text(folder + "/new/octavo-gateway.jsonl") == "{}\n[]\n")
        }
    }

    @Test func aLargeFileGetsANumberAndTheOldestGoes() async throws {
        try await withFolder { folder in
            let file = TraceFile(folder: folder, name: "a", mostBytes: 10)
            for number in 0..<9 { #expect(write("batch \(number)", to: file)) }
            let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            #expect(names == ["a.1.jsonl", "a.2.jsonl", "a.3.jsonl", "a.jsonl"])
            #expect(text(folder + "/a.jsonl") == "batch 8\n" && text(folder + "/a.3.jsonl") == "batch 5\n")
        }
    }

    @Test func aFolderThatCannotBeWrittenLosesNothingByItself() async throws {
        let file = TraceFile(folder: "/proc/no-such-place", name: "a")
        #expect(await file.deliver(ByteBuffer(string: "{}"), until: .now + .seconds(1)) == .again(after: nil))
    }

    @Test func aLinkIsNotFollowed() async throws {
        try await withFolder { folder in
            #expect(symlink("\(folder)/elsewhere", "\(folder)/a.jsonl") == 0)
            #expect(!write("{}", to: TraceFile(folder: folder, name: "a")))
            #expect(text(folder + "/elsewhere") == nil)
        }
    }

    @Test func whatWasGivenUpMeanwhileIsNotWritten() async throws {
        try await withFolder { folder in
            let attempt = WriteAttempt()
            attempt.end()
            TraceFile(folder: folder, name: "a").write(ByteBuffer(string: "{}"), attempt)
            #expect(text(folder + "/a.jsonl") == "" && !attempt.succeed())
        }
    }

    /// A pipe that nobody reads is opened for writing when somebody does: as a disk that hangs, nothing calls it off.
    @Test func aStopDoesNotWaitForADiskThatHangs() async throws {
        try await withFolder { folder in
            try #require(mkfifo(folder + "/test.jsonl", 0o600) == 0)
            let recorder = SpanRecorder()
            recorder.start("a", .server, within: TraceParent(isSampled: true)).end()
            let export = SpanExport(
                recorder,
                to: .folder(folder),
                service: "test",
                version: "1",
                group: .singletonMultiThreadedEventLoopGroup,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            recorder.queue.stop()
            await export.run()
            #expect(recorder.counts == SpanCounts(waiting: 0, exported: 0, dropped: 1))
            // The thread that was left behind goes on, and writes nothing.
            let reader = Glibc.open(folder + "/test.jsonl", O_RDONLY)
            try #require(reader >= 0)
            defer { close(reader) }
            var octet: UInt8 = 0
            #expect(read(reader, &octet, 1) == 0)
        }
    }

    @Test func behindAWriteThatHangsNoOtherBegins() async throws {
        try await withFolder { folder in
            try #require(mkfifo(folder + "/a.jsonl", 0o600) == 0)
            let file = TraceFile(folder: folder, name: "a")
            #expect(await file.deliver(ByteBuffer(string: "1"), until: .now) == .again(after: nil))
            #expect(await file.deliver(ByteBuffer(string: "2"), until: .now + .seconds(600)) == .again(after: nil))
            let reader = Glibc.open(folder + "/a.jsonl", O_RDONLY)
            defer { close(reader) }
            var octet: UInt8 = 0
            #expect(read(reader, &octet, 1) == 0)
        }
    }
}
