import FoundationEssentials
import Glibc
import Logging
import NIOCore
import NIOPosix
import Testing
import Tracing
import Wire

@testable import Traces

/// The export over real sockets, to collectors that behave as badly as they do.
@Suite(.serialized) struct CollectorTests {
    /// A collector that answers each connection with these bytes, or never.
    private func withCollector(_ answer: String?, _ body: (String) async throws -> Void) async throws {
        let path = "/tmp/octavo-collector-\(UInt32.random(in: 0 ... .max)).sock"
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelOption(.autoRead, value: answer != nil)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let answer { try channel.pipeline.syncOperations.addHandler(Answers(answer)) }
                }
            }
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
        do {
            try await body(path)
        } catch {
            try await server.close()
            throw error
        }
        try await server.close()
        unlink(path)
    }

    private final class Answers: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let answer: String
        private var received = ""

        init(_ answer: String) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += String(buffer: unwrapInboundIn(data))
            // The whole request: its length and a body that ends as JSON does.
            guard received.hasPrefix("POST /v1/traces HTTP/1.1\r\n"), received.hasSuffix("}]}]}]}") else { return }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        }
    }

    private func recorder(spans: Int) -> SpanRecorder {
        let recorder = SpanRecorder()
        for _ in 0..<spans { recorder.start("a", .server, within: TraceParent(isSampled: true)).end() }
        return recorder
    }

    private func batch() -> ByteBuffer {
        let recorder = recorder(spans: 3)
        return OTLPEncoding(service: "test", version: "1").encode(recorder.queue.take())
    }

    private func deliver(to path: String, within limit: Duration = .seconds(30)) async -> SpanBuffer.Delivery {
        let collector = Collector(.socket(path), group: .singletonMultiThreadedEventLoopGroup)
        return await collector.deliver(batch(), until: .now + limit)
    }

    @Test(arguments: [
        ("200 OK", SpanBuffer.Delivery.taken), ("400 Bad Request", .refused), ("404 Not Found", .refused),
        ("429 Too Many Requests\r\nretry-after: 7", .again(after: .seconds(7))),
        ("503 Service Unavailable", .again(after: nil)),
    ])
    func anAnswerIsUnderstood(_ status: String, _ delivery: SpanBuffer.Delivery) async throws {
        try await withCollector("HTTP/1.1 \(status)\r\ncontent-length: 0\r\n\r\n") { path in
            #expect(await deliver(to: path) == delivery)
        }
    }

    @Test func whatIsNoHTTPIsNotTaken() async throws {
        try await withCollector("SSH-2.0-nothing\r\n\r\n") { path in
            #expect(await deliver(to: path) == .again(after: nil))
        }
    }

    @Test func aCollectorThatIsNotThereIsAway() async {
        #expect(await deliver(to: "/tmp/octavo-nobody.sock") == .again(after: nil))
    }

    @Test func aCollectorThatNeverReadsIsGivenUpAtTheDeadline() async throws {
        try await withCollector(nil) { path in
            #expect(await deliver(to: path, within: .milliseconds(100)) == .again(after: nil))
        }
    }

    @Test func aStopHandsOverWhatIsLeft() async throws {
        try await withCollector("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n") { path in
            let recorder = recorder(spans: 1_300)
            recorder.queue.stop()
            await export(recorder, to: .socket(path)).run()
            #expect(recorder.counts == SpanCounts(waiting: 0, exported: 1_300, dropped: 0))
        }
    }

    @Test func aStopDoesNotWaitForACollectorThatNeverReads() async throws {
        try await withCollector(nil) { path in
            let recorder = recorder(spans: 5)
            recorder.queue.stop()
            await export(recorder, to: .socket(path)).run()
            #expect(recorder.counts == SpanCounts(waiting: 0, exported: 0, dropped: 5))
        }
    }

    @Test func aCancelledExportEndsAtOnce() async throws {
        try await withCollector(nil) { path in
            let recorder = recorder(spans: 5)
            let export = export(recorder, to: .socket(path))
            let task = Task { await export.run() }
            task.cancel()
            await task.value
            #expect(recorder.counts.waiting == 0)
        }
    }

    private func export(_ recorder: SpanRecorder, to target: TraceTarget) -> SpanExport {
        SpanExport(
            recorder,
            to: target,
            service: "test",
            version: "1",
            group: .singletonMultiThreadedEventLoopGroup,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }
}
