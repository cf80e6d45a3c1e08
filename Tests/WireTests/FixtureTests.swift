import NIOCore
import Testing
import Wire

/// Every fixture is replayed in both directions.
@Suite(.serialized) struct FixtureTests {
    /// What each valid fixture says. A file without a line here fails, and so does a line without its file.
    static let meanings: [String: Message] = [
        "hello-caller": .hello(.init(versions: 1...1, role: "gateway", build: "0.1.0", limits: .init())),
        "hello-service": .hello(.init(versions: 1...3, role: "storage", build: "0.1.0", limits: small)),
        "call-plain": .call(.init(id: 1, operation: "health")),
        "call-arguments": .call(
            .init(
                id: 2,
                operation: "books.get",
                arguments: JSON(trusted: #"{"book":12,"with":["sections",null,true,-1.5e-3]}"#)
            )
        ),
        "call-everything": .call(
            .init(
                id: 9_007_199_254_740_991,
                operation: "runs.start",
                arguments: JSON(trusted: #"{"run":"0190f3c4-5b1e-7c3a-9d2e-111111111111"}"#),
                deadlineMilliseconds: 1500,
                stream: 32,
                idempotencyKey: "run 0190f3c4",
                traceparent: TraceParent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
            )
        ),
        "call-within": .call(
            .init(
                id: 9,
                operation: "books.set_title",
                within: 7,
                arguments: JSON(trusted: #"{"book":12,"title":"Octopuses"}"#)
            )
        ),
        "call-unicode": .call(
            .init(
                id: 3,
                operation: "test.échö",
                arguments: JSON(trusted: #"{"ключ":"日本語 🦑 \u2028 \"quoted\" \\ \n"}"#)
            )
        ),
        "result-object": .result(id: 2, JSON(trusted: #"{"id":12,"title":"Octopuses"}"#)),
        "result-null": .result(id: 2, .null),
        "result-array": .result(id: 2, JSON(trusted: #"[[],{},"",0,false]"#)),
        "error-call": .error(id: 7, .notFound("No book 12.")),
        "error-everything": .error(
            id: 7,
            ServiceError(
                .resourceExhausted,
                "The queue is full.",
                afterMilliseconds: 250,
                details: JSON(trusted: #"{"queue":64}"#)
            )
        ),
        "error-connection": .error(
            id: nil,
            ServiceError(.protocolError, "syntax: a value is missing at octet 3 of the payload")
        ),
        "item": .item(id: 4, sequence: 0, JSON(trusted: #"{"text":"Octopuses have "}"#)),
        "end": .end(id: 4, items: 0, result: nil),
        "end-result": .end(id: 4, items: 3, result: JSON(trusted: #"{"state":"done"}"#)),
        "credit": .credit(id: 4, 256),
        "cancel": .cancel(id: 4, reason: "the reader left"),
        "ping": .ping(1),
        "ping-negative": .ping(-9_007_199_254_740_991),
        "pong": .pong(1),
        "goaway": .goaway(.init(last: 41, reason: "The service is stopping.", graceMilliseconds: 20000)),
    ]

    static var small: Message.Accepted {
        var accepted = Message.Accepted()
        accepted.frameBytes = 65536
        accepted.callsInFlight = 8
        accepted.streamsOpen = 4
        accepted.credit = 16
        return accepted
    }

    @Test func everyValidFixtureHasItsMeaning() {
        #expect(Set(Fixture.valid.map(\.name)) == Set(Self.meanings.keys))
    }

    @Test(arguments: Fixture.valid)
    func aValidFrameIsReadAndWrittenAgainOctetForOctet(_ fixture: Fixture) throws {
        let meaning = try #require(Self.meanings[fixture.name])
        #expect(try messages(in: fixture.frame) == [meaning])
        #expect(frame(meaning) == fixture.frame)
    }

    @Test(arguments: Fixture.equal)
    func anEqualFrameMeansTheSame(_ fixture: Fixture) throws {
        #expect(try messages(in: fixture.frame) == [try #require(Self.meanings[fixture.subject])])
    }

    @Test func everyReasonThatAFrameCanHaveHasAFixture() {
        let conversational: Set<ProtocolViolation.Reason> = [
            .frameTooSlow, .helloExpected, .helloLate, .noCommonVersion, .unexpectedMessage, .idNotIncreasing,
            .unknownID, .creditExceeded, .sequence,
        ]
        // Made by the tests instead of stored, for its size.
        let large: Set<ProtocolViolation.Reason> = [.tooManyKeys]
        let expected = Set(ProtocolViolation.Reason.allCases).subtracting(conversational).subtracting(large)
        #expect(Set(Fixture.invalid.map(\.subject)) == Set(expected.map(\.rawValue)))
    }

    @Test(arguments: Fixture.invalid)
    func anInvalidFrameIsRefusedForItsReason(_ fixture: Fixture) {
        let reason = violation { () throws(ProtocolViolation) in _ = try messages(in: fixture.frame) }
        #expect(reason?.rawValue == fixture.subject)
    }

    @Test(arguments: Fixture.valid)
    func aFrameMayArriveCutAnywhere(_ fixture: Fixture) throws {
        let octets = Array(fixture.frame.readableBytesView)
        for cut in 0...octets.count {
            var decoder = FrameDecoder(limit: 1_048_576)
            var buffer = ByteBuffer(bytes: octets[..<cut])
            let early = try decoder.decode(buffer: &buffer)
            #expect((early != nil) == (cut == octets.count))
            buffer.writeBytes(octets[cut...])
            let payload = try early ?? decoder.decode(buffer: &buffer)
            #expect(try payload.map { try Message(decoding: $0) } == Self.meanings[fixture.name])
        }
    }

    @Test(arguments: Fixture.valid)
    func aFrameMayArriveOctetByOctet(_ fixture: Fixture) throws {
        var decoder = FrameDecoder(limit: 1_048_576)
        var buffer = ByteBuffer()
        var payloads: [ByteBuffer] = []
        for octet in fixture.frame.readableBytesView {
            buffer.writeInteger(octet)
            if let payload = try decoder.decode(buffer: &buffer) { payloads.append(payload) }
        }
        #expect(try payloads.map { try Message(decoding: $0) } == [Self.meanings[fixture.name]])
    }

    /// A changed octet may change what a string says, never where a frame ends: whatever is still accepted is the mutated
    /// payload itself, and the frame after it is read as it was sent.
    @Test(arguments: Fixture.valid)
    func noMutatedOctetMovesTheBordersOfAFrame(_ fixture: Fixture) {
        let original = Array(fixture.frame.readableBytesView)
        let header = (original.firstIndex(of: UInt8(ascii: " ")) ?? 0) + 1
        let follower = frame(.ping(77))
        for position in original.indices {
            let isBorder = position <= header || position >= original.count - 2
            let values: [UInt8] =
                isBorder ? Array(0...255) : Self.telling + (0..<8).map { original[position] ^ (1 << $0) }
            for value in values where value != original[position] {
                var octets = original
                octets[position] = value
                var decoder = FrameDecoder(limit: 1_048_576)
                var buffer = ByteBuffer(bytes: octets)
                buffer.writeImmutableBuffer(follower)
                let first = try? decoder.decode(buffer: &buffer)
                guard let first, (try? Message(decoding: first)) != nil else { continue }
                #expect(first.readableBytesView.elementsEqual(octets[header..<octets.count - 1]))
                let second = try? decoder.decode(buffer: &buffer)
                #expect(second.map { try? Message(decoding: $0) } == .ping(77))
            }
        }
    }

    private static let telling: [UInt8] = [
        0, 0x0A, 0x0D, 0x20, 0x22, 0x5C, 0x7B, 0x7D, 0x5B, 0x5D, 0x7F, 0x80, 0xC0, 0xED, 0xFF,
    ]
}
