public import NIOCore

/// Cuts a stream of octets into payloads: `LENGTH SP PAYLOAD LF` (`protocol/README.md`, section 1).
///
/// It refuses by the first octet and by the declared length, before anything is stored for them, and never
/// resynchronises: after a throw the connection is of no more use. Whether the payload is JSON is not its business.
public struct FrameDecoder: NIOSingleStepByteToMessageDecoder {
    /// A payload.
    public typealias InboundOut = ByteBuffer

    /// The largest payload accepted, in octets; it may be changed between frames.
    public var limit: Int
    /// The length of the payload that is under way, once it has been read.
    private var declared: Int?

    /// A decoder that accepts payloads of at most `limit` octets.
    public init(limit: Int) {
        self.limit = limit
    }

    /// The next payload as a slice of the buffer, or nil when more octets are needed.
    /// - Throws: `ProtocolViolation`.
    public mutating func decode(buffer: inout ByteBuffer) throws(ProtocolViolation) -> ByteBuffer? {
        guard let length = try declaredLength(&buffer) else { return nil }
        let start = buffer.readerIndex
        if let first: UInt8 = buffer.getInteger(at: start), first != UInt8(ascii: "{") {
            throw ProtocolViolation(.frameNotObject, "a payload begins with \"{\"")
        }
        guard buffer.readableBytes > length else { return nil }
        guard buffer.getInteger(at: start + length, as: UInt8.self) == UInt8(ascii: "\n") else {
            throw ProtocolViolation(.frameNotTerminated, "no LF after the \(length) octets of the payload")
        }
        guard buffer.getInteger(at: start + length - 1, as: UInt8.self) == UInt8(ascii: "}") else {
            throw ProtocolViolation(.frameNotObject, "a payload ends with \"}\"")
        }
        let payload = buffer.readSlice(length: length)
        buffer.moveReaderIndex(forwardBy: 1)
        declared = nil
        return payload
    }

    /// At the end of the stream: a frame that was begun must be whole.
    /// - Throws: `ProtocolViolation`.
    public mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws(ProtocolViolation) -> ByteBuffer? {
        if let payload = try decode(buffer: &buffer) { return payload }
        guard buffer.readableBytes == 0, declared == nil else {
            throw ProtocolViolation(.frameCut, "the stream ended within a frame")
        }
        return nil
    }

    /// Whether a frame's length has been read, and not yet its end.
    public var isInsideFrame: Bool { declared != nil }

    private mutating func declaredLength(_ buffer: inout ByteBuffer) throws(ProtocolViolation) -> Int? {
        if let declared { return declared }
        var length = 0
        for (digits, octet) in buffer.readableBytesView.prefix(8).enumerated() {
            switch octet {
            case UInt8(ascii: "1")...UInt8(ascii: "9"),
                UInt8(ascii: "0") where digits > 0:
                length = length * 10 + Int(octet - UInt8(ascii: "0"))
                guard digits < 7 else { throw ProtocolViolation(.frameLength, "more than 7 digits") }
                // The digits to come only make it larger.
                guard length <= limit else { throw ProtocolViolation(.frameOverLimit, "more than \(limit) octets") }
            case UInt8(ascii: " ") where digits > 0:
                buffer.moveReaderIndex(forwardBy: digits + 1)
                declared = length
                return length
            default:
                throw ProtocolViolation(.frameLength, "a frame begins with its length in decimal, and a space")
            }
        }
        return nil
    }
}

/// Writes messages as frames; the size is checked before a single octet is written.
public struct FrameEncoder {
    /// A message that does not fit into one frame; nothing of it was written.
    public struct TooLarge: Error, Equatable {
        /// The payload's octets.
        public let bytes: Int
        /// What the peer accepts.
        public let limit: Int
    }

    /// The largest payload the peer accepts, in octets.
    public var limit: Int
    /// Payloads are built here, since their length stands before them.
    private var payload = ByteBuffer()

    /// An encoder for a peer that accepts payloads of at most `limit` octets.
    public init(limit: Int) {
        self.limit = limit
    }

    /// Appends the message's frame.
    /// - Throws: `TooLarge`.
    public mutating func encode(_ message: Message, into buffer: inout ByteBuffer) throws(TooLarge) {
        payload.clear()
        message.encode(into: &payload)
        guard payload.readableBytes <= limit else { throw TooLarge(bytes: payload.readableBytes, limit: limit) }
        buffer.writeDecimal(payload.readableBytes)
        buffer.writeInteger(UInt8(ascii: " "))
        buffer.writeImmutableBuffer(payload)
        buffer.writeInteger(UInt8(ascii: "\n"))
        // One large answer must not keep its megabyte for the connection's life.
        if payload.capacity > 64 << 10 { payload = ByteBuffer() }
    }
}
