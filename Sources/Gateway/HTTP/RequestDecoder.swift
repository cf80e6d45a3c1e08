import NIOCore
import NIOHTTP1

/// NIO's decoder, watched: it has one limit for a request's target and for a header field, and says nothing of a head
/// that has begun and not ended.
final class RequestDecoder: ByteToMessageDecoder {
    typealias InboundOut = HTTPServerRequestPart

    private let decoder: HTTPRequestDecoder
    private let connection: HTTPConnectionHandler
    private let limits: HTTPLimits
    /// Bytes of the request line that have come so far; nil behind it.
    private var line: Int?
    /// Bytes in the buffer that were there before.
    private var kept = 0

    init(for connection: HTTPConnectionHandler, limits: HTTPLimits) {
        var configuration = NIOHTTPDecoderLimitConfiguration()
        configuration.maxHeaderFieldSize = limits.headerFieldBytes
        configuration.maxHeaderListSize = limits.headerBytes
        configuration.maxHeaderFieldCount = limits.headerCount
        decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: configuration)
        self.connection = connection
        self.limits = limits
    }

    func decoderAdded(context: ChannelHandlerContext) {
        decoder.decoderAdded(context: context)
    }

    func decoderRemoved(context: ChannelHandlerContext) {
        decoder.decoderRemoved(context: context)
    }

    func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        try decode(&buffer) { buffer in try decoder.decode(context: context, buffer: &buffer) }
    }

    func decodeLast(context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool) throws -> DecodingState {
        try decode(&buffer) { buffer in
            try decoder.decodeLast(context: context, buffer: &buffer, seenEOF: seenEOF)
        }
    }

    private func decode(
        _ buffer: inout ByteBuffer,
        _ decode: (inout ByteBuffer) throws -> DecodingState
    ) throws -> DecodingState {
        guard connection.readsRequests else {
            // Behind the last request of a connection NIO's decoder would gather whatever comes.
            buffer.moveReaderIndex(to: buffer.writerIndex)
            kept = 0
            return .needMoreData
        }
        let fresh = buffer.readableBytesView.dropFirst(kept)
        if connection.bytesArrived(fresh.count) == .headBegins { line = 0 }
        let before = line
        let end = fresh.firstIndex(of: UInt8(ascii: "\n"))
        line = before.flatMap { end == nil ? $0 + fresh.count : nil }
        do {
            let state = try decode(&buffer)
            kept = buffer.readableBytes
            // A head that begins behind the end of a request, in the same packet.
            if connection.bytesArrived(kept) == .headBegins { line = kept }
            return state
        } catch HTTPParserError.headerOverflow {
            let length = before.map { $0 + (end ?? fresh.endIndex) - fresh.startIndex } ?? 0
            throw length > limits.headerFieldBytes
                ? HTTPRefusal.targetTooLong(limits.headerFieldBytes)
                : HTTPRefusal(HTTPParserError.headerOverflow, limits: limits)
        }
    }
}
