import Testing

@testable import Agents

@Suite(.serialized) struct ServerSentEventParserTests {
    private func parse(_ bytes: [UInt8], cutAt cut: Int) throws -> [ServerSentEvent] {
        var parser = ServerSentEventParser()
        let events = try parser.parse(bytes[..<cut]) + parser.parse(bytes[cut...])
        return try events + [parser.finish()].compactMap { $0 }
    }

    /// Every line ending, a byte order mark, comments, several data lines, ids, unknown fields, text of several bytes, bytes
    /// that are not UTF-8, and an end without an empty line.
    private static let stream: [UInt8] =
        [0xEF, 0xBB, 0xBF]
        + Array(
            """
            : hello\r\nevent: greeting\r\ndata: grüß\r\ndata:dich\r\n\r\n\
            data\n\nid: 7\rdata:  two spaces\r\r\
            retry: 10\nnonsense\nwhatever: x\ndata: 🦉\n\ndata: 
            """.utf8
        ) + [0xFF, 0x0A, 0x0A] + Array("event:\ndata: last".utf8)

    private static let events = [
        ServerSentEvent(event: "greeting", data: "grüß\ndich"),
        ServerSentEvent(data: ""),
        ServerSentEvent(data: " two spaces", id: "7"),
        ServerSentEvent(data: "🦉", id: "7"),
        ServerSentEvent(data: "\u{FFFD}", id: "7"),
        ServerSentEvent(data: "last", id: "7"),
    ]

    @Test func aStreamIsTheSameCutAnywhere() throws {
        for cut in 0...Self.stream.count {
            #expect(try parse(Self.stream, cutAt: cut) == Self.events)
        }
    }

    @Test func aStreamIsTheSameByteByByte() throws {
        var parser = ServerSentEventParser()
        var events: [ServerSentEvent] = []
        for byte in Self.stream { events += try parser.parse([byte]) }
        #expect(try events + [parser.finish()].compactMap { $0 } == Self.events)
    }

    @Test func aByteOrderMarkIsOneOnlyAtTheStart() throws {
        var parser = ServerSentEventParser()
        #expect(try parser.parse("\n\u{FEFF}data: x\n\n".utf8).isEmpty)
    }

    @Test func anEventWithoutDataIsNone() throws {
        var parser = ServerSentEventParser()
        #expect(try parser.parse("event: x\n\n: y\n\n".utf8).isEmpty)
        #expect(try parser.finish() == nil)
    }

    @Test func theTypeOfAnEventWithoutDataIsForgotten() throws {
        var parser = ServerSentEventParser()
        #expect(try parser.parse("event: x\n\ndata: y\n\n".utf8) == [ServerSentEvent(data: "y")])
    }

    @Test func anIdWithANulIsIgnored() throws {
        var parser = ServerSentEventParser()
        #expect(try parser.parse("id: 1\nid: \0\ndata: y\n\n".utf8) == [ServerSentEvent(data: "y", id: "1")])
    }

    @Test func aLineUpToTheLimitIsRead() throws {
        var parser = ServerSentEventParser(limit: 8)
        #expect(try parser.parse("data: 12\n\n".utf8) == [ServerSentEvent(data: "12")])
    }

    @Test func aLineOverTheLimitIsRefused() {
        var parser = ServerSentEventParser(limit: 8)
        #expect(throws: ServerSentEventError.lineTooLong(limit: 8)) { try parser.parse("data: 123".utf8) }
    }

    @Test func manyShortLinesOverTheLimitAreRefused() {
        var parser = ServerSentEventParser(limit: 8)
        let lines = String(repeating: "data: 1\n", count: 5)
        #expect(throws: ServerSentEventError.eventTooLong(limit: 8)) { try parser.parse(lines.utf8) }
    }

    @Test func randomBytesNeverHarmIt() throws {
        var random = SplitMix(seed: 1)
        let alphabet = Array("data: event:id\n\r\n:x".utf8) + [0xEF, 0xBB, 0xBF, 0xFF, 0x00]
        for _ in 0..<300 {
            let bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            let whole = try parse(bytes, cutAt: 0)
            for cut in bytes.indices { #expect(try parse(bytes, cutAt: cut) == whole) }
        }
    }
}
