import NIOCore
import NIOHTTP1
import NIOPosix

/// A model provider that plays a script, over real HTTP on a loopback port: for tests of whatever talks to providers.
///
/// ```swift
/// try await ScriptedProvider.withServer([.says("Hello"), .fails(500)]) { provider in
///     let model = try OpenAIChatModel("any", baseURL: provider.url)
///     …
/// }
/// ```
public final class ScriptedProvider: Sendable {
    /// The most bytes of a request; a test that sends more has gone wrong.
    private static let requestLimit = 64 * 1024 * 1024

    /// The base URL, such as `http://127.0.0.1:40123/v1`.
    public let url: String
    private let script: @Sendable (RecordedRequest, Int) -> Answer
    private let record = Record()

    private init(port: Int, script: @escaping @Sendable (RecordedRequest, Int) -> Answer) {
        self.url = "http://127.0.0.1:\(port)/v1"
        self.script = script
    }

    /// The requests so far, in the order they came.
    public var requests: [RecordedRequest] { record.events.requests }

    /// How many connections were made.
    public var connections: Int { record.events.connections }

    /// Returns when `count` requests came.
    public func received(_ count: Int) async {
        await record.wait { $0.requests.count >= count }
    }

    /// Returns when the client of this request (the first is 0) closed the connection before it was answered.
    public func clientLeft(request: Int = 0) async {
        await record.wait { $0.left.contains(request) }
    }

    /// Runs `body` with a provider that gives these answers in order; further requests get a 500 that says so.
    public static func withServer<Result>(
        _ answers: [Answer],
        _ body: (ScriptedProvider) async throws -> Result
    ) async throws -> Result {
        try await withServer(
            answering: { _, position in
                position < answers.count ? answers[position] : .fails(500, "The script has no answer left.")
            },
            body
        )
    }

    /// Runs `body` with a provider that answers as `script` says, given a request and how many came before it.
    public static func withServer<Result>(
        answering script: @escaping @Sendable (RecordedRequest, Int) -> Answer,
        _ body: (ScriptedProvider) async throws -> Result
    ) async throws -> Result {
        let accepted = AcceptedConnections()
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture { try accepted.add(channel) }
            }
        let provider = ScriptedProvider(port: listener.channel.localAddress?.port ?? 0, script: script)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await provider.accept(listener, accepted)
                await accepted.end()
            }
            defer { group.cancelAll() }
            return try await body(provider)
        }
    }

    private func accept(
        _ listener: NIOAsyncChannel<ObjectIdentifier?, Never>,
        _ accepted: AcceptedConnections
    ) async {
        // Closing a listener that is closed is no fault of the script's.
        try? await listener.executeThenClose { connections in
            await withDiscardingTaskGroup { group in
                do {
                    for try await id in connections {
                        guard let connection = accepted.take(id) else { continue }
                        record.note { $0.connections += 1 }
                        group.addTask { await self.serve(connection) }
                    }
                } catch {}
                group.cancelAll()
            }
        }
    }

    /// Reads while an answer is played, for only so is it seen that the client left.
    private func serve(_ connection: AcceptedConnections.Connection) async {
        let channel = connection.channel
        try? await connection.executeThenClose { inbound, outbound in
            await withDiscardingTaskGroup { group in
                let answered = Answered()
                var request = IncomingRequest()
                var last: Int?
                do {
                    for try await part in inbound {
                        guard let complete = try request.add(part, limit: Self.requestLimit) else { continue }
                        let position = record.note { events in
                            events.requests.append(complete)
                            return events.requests.count - 1
                        }
                        last = position
                        let answer = script(complete, position)
                        group.addTask {
                            await self.play(answer, to: outbound, on: channel) { answered.insert(position) }
                        }
                    }
                } catch {}
                if let last, !answered.contains(last) { record.note { _ = $0.left.insert(last) } }
                group.cancelAll()
            }
        }
    }

    private func play(
        _ answer: Answer,
        to outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>,
        on channel: any Channel,
        done: () -> Void
    ) async {
        do {
            for step in answer.steps {
                switch step {
                case .write(let bytes): try await outbound.write(ByteBuffer(bytes: bytes))
                case .pause(let pause): try await Task.sleep(for: pause)
                case .hang: try await Task.sleep(for: .seconds(86_400))
                case .repeatForever(let bytes):
                    while true { try await outbound.write(ByteBuffer(bytes: bytes)) }
                case .close:
                    done()
                    channel.close(promise: nil)
                    return
                }
            }
            done()
        } catch {
            // The client left or the server ends; either is seen where the connection is read.
        }
    }
}
