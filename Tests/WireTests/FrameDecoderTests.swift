import NIOCore
import Testing
import Wire

@Suite(.serialized) struct FrameDecoderTests {
    @Test func aFrameOverTheLimitIsRefusedByItsDeclaredLength() {
        for text in ["4097 ", "9999999", "5000"] {
            var decoder = FrameDecoder(limit: 4096)
            var buffer = ByteBuffer(string: text)
            #expect(
                violation { () throws(ProtocolViolation) in _ = try decoder.decode(buffer: &buffer) } == .frameOverLimit
            )
        }
    }

    @Test func aFrameAtTheLimitIsAccepted() throws {
        let payload = "{\"ping\":1,\"x\":\"" + String(repeating: "a", count: 4096 - 17) + "\"}"
        #expect(payload.utf8.count == 4096)
        #expect(try messages(in: ByteBuffer(string: "4096 \(payload)\n"), limit: 4096) == [.ping(1)])
    }

    @Test(arguments: UInt8.min...UInt8.max)
    func theFirstOctetAloneDecides(_ octet: UInt8) {
        var decoder = FrameDecoder(limit: 1_048_576)
        var buffer = ByteBuffer(bytes: [octet])
        let reason = violation { () throws(ProtocolViolation) in _ = try decoder.decode(buffer: &buffer) }
        #expect(reason == ((UInt8(ascii: "1")...UInt8(ascii: "9")).contains(octet) ? nil : .frameLength))
    }

    @Test func theFirstOctetOfThePayloadIsLookedAtBeforeTheRestArrives() {
        var decoder = FrameDecoder(limit: 1_048_576)
        var buffer = ByteBuffer(string: "1000000 [")
        #expect(
            violation { () throws(ProtocolViolation) in _ = try decoder.decode(buffer: &buffer) } == .frameNotObject
        )
    }

    @Test func aDeclaredLengthCostsNothing() throws {
        var decoder = FrameDecoder(limit: 1_048_576)
        var buffer = ByteBuffer(string: "1048576 {")
        let before = buffer.storageCapacity
        #expect(try decoder.decode(buffer: &buffer) == nil)
        #expect(buffer.storageCapacity == before)
        #expect(decoder.isInsideFrame)
    }

    @Test func theLimitMayRiseBetweenFrames() throws {
        var decoder = FrameDecoder(limit: 10)
        var buffer = ByteBuffer(string: "10 {\"ping\":1}\n11 {\"ping\":12}\n")
        #expect(try decoder.decode(buffer: &buffer) != nil)
        decoder.limit = 11
        #expect(try decoder.decode(buffer: &buffer) != nil)
        #expect(buffer.readableBytes == 0)
    }

    @Test func manyFramesInOneWriteAreReadInOrder() throws {
        var buffer = ByteBuffer()
        for number in 1...1000 { buffer.writeImmutableBuffer(frame(.ping(number))) }
        #expect(try messages(in: buffer) == (1...1000).map { .ping($0) })
    }

    @Test func noiseNeverCrashesTheDecoder() {
        var generator = SeededGenerator(seed: 7)
        let alphabet = Array("0123456789 {}[]\"\\:,\nidpngcalresut".utf8)
        for _ in 0..<5000 {
            let count = Int.random(in: 0...40, using: &generator)
            let octets = (0..<count).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            _ = try? messages(in: ByteBuffer(bytes: octets))
        }
    }
}

@Suite(.serialized) struct FrameEncoderTests {
    @Test func aMessageOverTheLimitIsRefusedAndWritesNothing() {
        var encoder = FrameEncoder(limit: 100)
        var buffer = ByteBuffer(string: "before")
        let large = JSON(trusted: "\"" + String(repeating: "a", count: 200) + "\"")
        do throws(FrameEncoder.TooLarge) {
            try encoder.encode(.result(id: 1, large), into: &buffer)
            Issue.record("it was written")
        } catch {
            #expect(error.bytes == 220)
            #expect(error.limit == 100)
        }
        #expect(String(buffer: buffer) == "before")
    }

    @Test func stringsAreEscapedSoThatTheScannerTakesThem() throws {
        let text = "\u{0}\u{1}\u{1F}\t\n\r\"\\/\u{7F}é🦑"
        let written = frame(.cancel(id: 1, reason: text))
        #expect(try messages(in: written) == [.cancel(id: 1, reason: "\u{FFFD}" + text.dropFirst())])
    }

    @Test func everyErrorCodeTravels() throws {
        for code in ErrorCode.allCases {
            for retry in Retry.allCases {
                let message = Message.error(id: 1, ServiceError(code, "x", retry: retry))
                #expect(try messages(in: frame(message)) == [message])
            }
        }
    }

    @Test func anUnknownErrorCodeIsADefect() throws {
        let payload = ByteBuffer(string: #"{"id":1,"error":{"code":"tired","message":"x","retry":"maybe"}}"#)
        #expect(try Message(decoding: payload) == .error(id: 1, ServiceError(.internal, "x", retry: .no)))
    }
}
