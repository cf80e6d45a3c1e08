import FoundationEssentials
import Glibc
import Logging
import Testing

@testable import Daemon

@Suite(.serialized) struct LineLogHandlerTests {
    private func logged(style: LineLogHandler.Style = .plain, _ body: (Logger) -> Void) async throws -> String {
        let output = try Output()
        var logger = Logger(label: "storage") { label in
            LineLogHandler(
                label: label,
                threshold: LogThreshold(.info),
                metadataProvider: nil,
                style: style,
                sink: LineSink(descriptor: output.writer)
            )
        }
        logger[metadataKey: "run_id"] = "r1"
        body(logger)
        return await output.text()
    }

    @Test func aRecordIsALine() async throws {
        let text = try await logged { logger in
            logger.debug("below the level")
            logger.warning("slow query", metadata: ["ms": "120", "why": "a lock"])
        }
        #expect(text == "warning storage: slow query ms=120 run_id=r1 why=\"a lock\"\n")
    }

    @Test(arguments: ["\n", "\r\n", "\r", "\u{85}", "\u{2028}", "\u{0B}", "\u{0}", "\u{1B}[2K"])
    func noValueEndsTheLineOrMovesTheCursor(control: String) async throws {
        let text = try await logged { logger in
            logger.info("before\(control)critical forged: x", metadata: ["title": "a\(control)b", "k\(control)": "v"])
        }
        #expect(text.hasSuffix("\n"))
        let line = text.dropLast().unicodeScalars
        #expect(!line.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) || $0.value == 0x2028 })
    }

    @Test func aValueCannotPretendToBeTwo() async throws {
        let text = try await logged { $0.info("m", metadata: ["a": "1 b=2", "c": "say \"x\"\\", "d": ""]) }
        #expect(text == #"info storage: m a="1 b=2" c="say \"x\"\\" d="" run_id=r1"# + "\n")
    }

    @Test func directionOfTextCannotBeTurned() async throws {
        let text = try await logged { $0.info("user \u{202E}nimda") }
        #expect(text == "info storage: user \\u{202e}nimda run_id=r1\n")
    }

    @Test func aHugeValueIsCut() async throws {
        let text = try await logged { $0.info("m", metadata: ["a": "\(String(repeating: "é", count: 100_000))"]) }
        #expect(text.utf8.count < LogLimit.value + 64)
        #expect(text.contains("é…"))
    }

    @Test func colourIsForTerminalsOnly() async throws {
        let plain = try await logged { $0.error("m") }
        let terminal = try await logged(style: .terminal) { $0.error("m") }
        #expect(!plain.contains("\u{1B}"))
        #expect(terminal.contains("\u{1B}[1;31merror"))
    }
}

@Suite(.timeLimit(.minutes(10))) struct JournalLogHandlerTests {
    private func record(_ log: (Logger) -> Void) async throws -> [UInt8] {
        try await withScratch { scratch in
            let inbox = try DatagramInbox(at: "\(scratch)/journal")
            let socket = try #require(JournalSocket(path: "\(scratch)/journal"))
            log(Self.logger(socket))
            for await message in inbox.messages { return message }
            return []
        }
    }

    private static func logger(_ socket: JournalSocket) -> Logger {
        Logger(label: "storage") { label in
            JournalLogHandler(
                label: label,
                identifier: "octavo-storage",
                threshold: LogThreshold(.info),
                metadataProvider: nil,
                socket: socket
            )
        }
    }

    @Test func aRecordIsOneDatagramOfFields() async throws {
        let bytes = try await record {
            $0.error("commit lost", metadata: ["trace_id": "t1", "run-id": "r1", "error.code": "busy"])
        }
        let expected = """
            MESSAGE=commit lost
            PRIORITY=3
            SYSLOG_IDENTIFIER=octavo-storage
            LOGGER=storage
            ERROR_CODE=busy
            RUN_ID=r1
            TRACE_ID=t1

            """
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }

    @Test func aNewlineInAValueIsCountedAndForgesNothing() async throws {
        let bytes = try await record { $0.info("two\nPRIORITY=0") }
        let expected =
            Array("MESSAGE\n".utf8) + [14, 0, 0, 0, 0, 0, 0, 0] + Array("two\nPRIORITY=0\nPRIORITY=6\n".utf8)
        #expect(Array(bytes.prefix(expected.count)) == expected)
    }

    @Test(arguments: [
        ("message", "FIELD_MESSAGE"), ("_pid", "PID"), ("9lives", "FIELD_9LIVES"), ("naïve", "NA_VE"),
        ("", "FIELD_"), ("a=b\nC", "A_B_C"), (String(repeating: "x", count: 99), String(repeating: "X", count: 58)),
    ])
    func aFieldNameIsOneThatJournaldKeeps(key: String, name: String) {
        #expect(JournalRecord.fieldName(key) == name)
    }

    @Test func theLargestRecordFitsADatagram() async throws {
        let huge = String(repeating: "x", count: 1_000_000)
        let bytes = try await record { logger in
            logger.info("\(huge)", metadata: Dictionary(uniqueKeysWithValues: (0..<100).map { ("k\($0)", "\(huge)") }))
        }
        #expect(bytes.count > LogLimit.fields * LogLimit.value)
    }

    @Test func whatCouldNotBeSentIsCountedInTheNextRecord() async throws {
        try await withScratch { scratch in
            let socket = try #require(JournalSocket(path: "\(scratch)/journal"))
            let logger = Self.logger(socket)
            logger.info("lost")
            logger.info("lost")
            let inbox = try DatagramInbox(at: "\(scratch)/journal")
            logger.info("kept")
            let kept = await inbox.texts { _ in true }
            #expect(kept.first?.hasPrefix("MESSAGE=kept\n") == true)
            #expect(kept.first?.contains("\nDROPPED_RECORDS=2\n") == true)
        }
    }
}

@Suite(.serialized) struct LogDestinationTests {
    @Test func theJournalIsUsedOnlyWhenStandardErrorReallyIsIt() throws {
        let file = open("/dev/null", O_WRONLY | O_CLOEXEC)
        defer { close(file) }
        var status = stat()
        fstat(file, &status)
        let stream = "\(status.st_dev):\(status.st_ino)"
        #expect(LogDestination(journalStream: stream, descriptor: file) == .journal)
        #expect(LogDestination(journalStream: "1:2", descriptor: file) == .lines)
        #expect(LogDestination(journalStream: "nonsense", descriptor: file) == .lines)
        #expect(LogDestination(journalStream: nil, descriptor: file) == .lines)
    }
}
