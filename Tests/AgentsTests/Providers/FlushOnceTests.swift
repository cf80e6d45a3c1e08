import NIOCore
import NIOEmbedded
import Testing

@testable import Agents

/// What is flushed several times in a turn of the event loop goes out at once.
@Suite struct FlushOnceTests {
    @Test func aHeadAndItsBodyGoOutTogether() throws {
        final class Counting: ChannelOutboundHandler {
            typealias OutboundIn = ByteBuffer
            var flushes = 0
            func flush(context: ChannelHandlerContext) {
                flushes += 1
                context.flush()
            }
        }
        let counting = Counting()
        let channel = EmbeddedChannel(handlers: [counting, FlushOnce()])
        channel.writeAndFlush(ByteBuffer(string: "head"), promise: nil)
        channel.writeAndFlush(ByteBuffer(string: "body"), promise: nil)
        #expect(counting.flushes == 0)
        channel.embeddedEventLoop.run()
        #expect(counting.flushes == 1)
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(string: "head"))
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(string: "body"))
        channel.writeAndFlush(ByteBuffer(string: "more"), promise: nil)
        channel.embeddedEventLoop.run()
        #expect(counting.flushes == 2)
        _ = try channel.finish()
    }
}
