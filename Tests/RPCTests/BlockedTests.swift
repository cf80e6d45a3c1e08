import Contract
import Glibc
import NIOCore
import RPC
import Synchronization
import Testing
import Wire

@Suite(.serialized) struct BlockedTests {
    /// In a process of its own, since it blocks every thread that other tests would run on.
    @Test func healthAnswersWhileEveryThreadIsBlocked() async throws {
        await #expect(processExitsWith: .success) {
            try await Self.askWhileEveryThreadIsBlocked()
        }
    }

    /// The dialogue happens on the event loop alone, since no task can run: every thread of the executor is blocked by
    /// handlers, which are released only by health's answer.
    private static func askWhileEveryThreadIsBlocked() async throws {
        let released = Released()
        let blocked = Gauge()
        var operations = Operations.test()
        operations.on(Hold.self) { _, _ in
            blocked.enter()
            // Not for ever, lest a defect hang the tests.
            for _ in 0..<20_000 where !released.isSet { usleep(1000) }
            return Done()
        }
        try await withServer(operations) { server in
            let peer = try await RawPeer.greeted(server.gateway)
            let admin = try await RawPeer.connect(server.admin)
            let loop = admin.channel.eventLoop
            let channel = admin.channel
            let question = #"{"id":1,"call":"health"}"#
            let answer = loop.makePromise(of: ByteBuffer.self)
            answer.futureResult.whenComplete { _ in released.set() }
            try await channel.pipeline.addHandler(FirstRead(answer), position: .first)
            // Every thread is blocked when no further handler begins, though 64 calls are in flight.
            let before = LastCount()
            loop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(50)) { task in
                guard before.isUnchanged(blocked.total) else { return }
                channel.writeAndFlush(ByteBuffer(string: "\(question.utf8.count) \(question)\n"), promise: nil)
                task.cancel()
            }
            try await peer.say((1...64).map { #"{"id":\#($0),"call":"test.hold"}"# })
            var heard = try await answer.futureResult.get()
            var decoder = FrameDecoder(limit: 1_048_576)
            let payload = try #require(try decoder.decode(buffer: &heard))
            guard case .result(1, let health) = try Message(decoding: payload) else {
                Issue.record("no health")
                return
            }
            #expect(health.member("in_flight")?.integer == 64)
            var answered = 0
            while answered < 64, await peer.heard() != nil { answered += 1 }
            #expect(answered == 64)
            peer.close()
            admin.close()
        }
    }

    /// In a process of its own too: it has a deadline to keep.
    @Test func timeWithoutCreditIsNotTheServicesFault() async throws {
        await #expect(processExitsWith: .success) {
            try await Self.waitLongerThanTheDeadlineWithoutCredit()
        }
    }

    private static func waitLongerThanTheDeadlineWithoutCredit() async throws {
        try await withServer { server in
            let peer = try await RawPeer.greeted(server.gateway)
            try await peer.say(#"{"id":1,"call":"test.count","arguments":{"to":9},"stream":1,"deadline_ms":10000}"#)
            #expect(await peer.heard() == #"{"id":1,"item":0,"sequence":0}"#)
            try await Task.sleep(for: .milliseconds(11000))
            try await peer.say(#"{"id":1,"credit":1}"#)
            #expect(await peer.heard() == #"{"id":1,"item":1,"sequence":1}"#)
            peer.close()
        }
    }
}

private final class LastCount: Sendable {
    private let last = Atomic(0)
    func isUnchanged(_ count: Int) -> Bool { count > 0 && last.exchange(count, ordering: .relaxed) == count }
}

private final class Released: Sendable {
    private let flag = Atomic(false)
    var isSet: Bool { flag.load(ordering: .acquiring) }
    func set() { flag.store(true, ordering: .releasing) }
}

/// Gives the first octets that arrive to whoever waits for them.
private final class FirstRead: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let promise: EventLoopPromise<ByteBuffer>

    init(_ promise: EventLoopPromise<ByteBuffer>) {
        self.promise = promise
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        promise.succeed(unwrapInboundIn(data))
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(ChannelError.eof)
        context.fireChannelInactive()
    }
}
