import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOExtras
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOPosix
import RPC
import ServiceLifecycle
import Synchronization
import Traces
import Tracing

/// Serves a Hummingbird router on listening sockets that were opened by somebody else.
///
/// Hummingbird's own `Application` binds an address and would unlink and replace a socket it was handed, and its channel
/// answers what it cannot read with an empty 400; its router is used here, and `HTTPExchanges` brings it the requests.
final class HTTPServer<Responder: HTTPResponder>: Service
where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> & RequestContext {
    /// Told of each request that was answered: its route, when it began, and its status where that is an error.
    typealias OnAnswer = @Sendable (String, ContinuousClock.Instant, String?) -> Void

    private struct Connection: Sendable {
        let channel: any Channel
        let exchanges: NIOLoopBound<HTTPExchanges>
    }

    private let descriptors: [CInt]
    private let responder: Responder
    private let entrance: Entrance
    private let limits: HTTPLimits
    private let group: any EventLoopGroup
    private let logger: Logger
    private let onListening: @Sendable () -> Void
    private let onAnswer: OnAnswer
    private let recorder: SpanRecorder?
    private let open: OpenConnections
    private let date = HTTPDate()

    init(
        descriptors: [CInt],
        responder: Responder,
        entrance: Entrance,
        limits: HTTPLimits = HTTPLimits(),
        group: any EventLoopGroup,
        logger: Logger,
        open: OpenConnections = OpenConnections(),
        recorder: SpanRecorder? = nil,
        onListening: @escaping @Sendable () -> Void = {},
        onAnswer: @escaping OnAnswer = { _, _, _ in }
    ) {
        self.descriptors = descriptors
        self.responder = responder
        self.entrance = entrance
        self.limits = limits
        self.group = group
        self.logger = logger
        self.open = open
        self.onListening = onListening
        self.onAnswer = onAnswer
        self.recorder = recorder
    }

    /// Accepted, and not served yet; nil when no more are.
    private let accepted = Mutex<[ObjectIdentifier: Connection]?>([:])

    /// Connections open now.
    var connections: Int { open.count }

    func run() async throws {
        let quiescing = ServerQuiescingHelper(group: group)
        var listeners: [NIOAsyncChannel<ObjectIdentifier?, Never>] = []
        for descriptor in descriptors {
            listeners.append(try await listen(on: descriptor, quiescing))
        }
        onListening()
        let result: Result<Void, any Error>
        do {
            result = .success(try await serve(listeners, quiescing))
        } catch {
            result = .failure(error)
        }
        await serveAccepted()
        try result.get()
    }

    private func serve(
        _ listeners: [NIOAsyncChannel<ObjectIdentifier?, Never>],
        _ quiescing: ServerQuiescingHelper
    ) async throws {
        try await withGracefulShutdownHandler {
            try await withThrowingDiscardingTaskGroup { group in
                for listener in listeners { group.addTask { try await self.serve(listener) } }
            }
        } onGracefulShutdown: {
            // Stops accepting; connections close after the response they are in.
            quiescing.initiateShutdown(promise: nil)
        }
    }

    /// A connection's error never ends the server.
    private func serve(_ listener: NIOAsyncChannel<ObjectIdentifier?, Never>) async throws {
        try await listener.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                for try await id in connections {
                    guard let id, let connection = accepted.withLock({ $0?.removeValue(forKey: id) }) else { continue }
                    // Where its socket is: see `GatewayService.compose`.
                    group.addTask(executorPreference: EventLoopExecutor(connection.channel.eventLoop)) {
                        await self.serve(connection)
                    }
                }
            }
        }
    }

    private func listen(
        on descriptor: CInt,
        _ quiescing: ServerQuiescingHelper
    ) async throws -> NIOAsyncChannel<ObjectIdentifier?, Never> {
        try await ServerBootstrap(group: group)
            .serverChannelInitializer { server in
                server.eventLoop.makeCompletedFuture {
                    try server.pipeline.syncOperations.addHandler(quiescing.makeServerChannelHandler(channel: server))
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .bind(descriptor) { child -> EventLoopFuture<ObjectIdentifier?> in
                let count = self.open.come()
                child.closeFuture.whenComplete { _ in self.open.leave() }
                return child.eventLoop.makeCompletedFuture { try self.accept(child, count) }
            }
    }

    /// A connection over the limit is told so, and one far over it is closed at once, so that this has a limit too.
    private func accept(_ child: any Channel, _ count: Int) throws -> ObjectIdentifier? {
        guard count <= limits.connections + limits.refusedConnections else {
            child.close(promise: nil)
            return nil
        }
        Self.limitUnacknowledged(child, limits)
        let pipeline = child.pipeline.syncOperations
        try pipeline.addHandler(HTTPResponseEncoder())
        guard count <= limits.connections else {
            try pipeline.addHandler(HTTPConnectionHandler(limits: limits, date: date, refusing: .tooManyConnections))
            return nil
        }
        let connection = HTTPConnectionHandler(limits: limits, date: date)
        try pipeline.addHandler(ByteToMessageHandler(RequestDecoder(for: connection, limits: limits)))
        try pipeline.addHandler(connection)
        try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
        let exchanges = HTTPExchanges()
        try pipeline.addHandler(exchanges)
        return accepted.withLock { accepted in
            guard accepted != nil else {
                child.close(promise: nil)
                return nil
            }
            let id = ObjectIdentifier(child)
            accepted?[id] = Connection(channel: child, exchanges: NIOLoopBound(exchanges, eventLoop: child.eventLoop))
            return id
        }
    }

    /// Connections that came while the server stopped are never taken out of the sequence of the accepted ones. They are
    /// answered all the same.
    private func serveAccepted() async {
        await withDiscardingTaskGroup { group in
            for connection in accepted.withLock({ $0.take() ?? [:] }).values {
                group.addTask(executorPreference: EventLoopExecutor(connection.channel.eventLoop)) {
                    await self.serve(connection)
                }
            }
        }
    }

    /// A reader that has stopped reading keeps no connection: the kernel gives up on it (tcp(7), TCP_USER_TIMEOUT). Not
    /// for Unix sockets, where the call fails and that is fine.
    private static func limitUnacknowledged(_ child: any Channel, _ limits: HTTPLimits) {
        let milliseconds = CInt(limits.unacknowledged.components.seconds * 1000)
        guard let options = child as? any SocketOptionProvider else { return }
        options.unsafeSetSocketOption(level: .tcp, name: .init(rawValue: 18), value: milliseconds).whenFailure { _ in }
    }

    private func serve(_ connection: Connection) async {
        let channel = connection.channel
        await withTaskCancellationHandler {
            let exchanges = connection.exchanges.value
            do {
                while let request = await exchanges.next() { try await answer(request, exchanges, channel) }
            } catch {
                logger.trace("a response was not read", metadata: ["error": "\(error)"])
                return channel.close(promise: nil)
            }
            exchanges.finish()
            try? await channel.closeFuture.get()
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    private func answer(_ request: Request, _ exchanges: HTTPExchanges, _ channel: any Channel) async throws {
        guard let recorder else { return try await answer(request, exchanges, channel, nil) }
        let span = recorder.answering(request, from: channel.remoteAddress)
        // The body of a response is part of it: a run is followed while it is written.
        defer { span.end() }
        try await ServiceContext.withValue(span.context) { try await answer(request, exchanges, channel, span) }
    }

    private func answer(
        _ request: Request,
        _ exchanges: HTTPExchanges,
        _ channel: any Channel,
        _ span: RecordedSpan?
    ) async throws {
        let started = ContinuousClock.now
        let context = Responder.Context(source: ApplicationRequestContextSource(channel: channel, logger: logger))
        var response = await response(to: request, context, channel)
        // What no route answers is counted as one: anybody can ask for more paths.
        let path = context.endpointPath.flatMap { $0.hasPrefix("/") ? $0 : nil }
        let route = path.map { "\(request.method) \($0)" } ?? "other"
        span?.say(request, path, &response)
        do {
            try await exchanges.write(response)
            onAnswer(route, started, response.status.code >= 400 ? "\(response.status.code)" : nil)
        } catch {
            // The reader has left: nginx's number for that.
            onAnswer(route, started, "499")
            span?.fail("499")
            throw error
        }
    }

    private func response(to request: Request, _ context: Responder.Context, _ channel: any Channel) async -> Response {
        var response: Response
        do {
            let refusal = await entrance.refusal(
                of: request,
                local: channel.localAddress,
                remote: channel.remoteAddress
            )
            response = if let refusal { refusal } else { try await responder.respond(to: request, context: context) }
        } catch {
            // The router's middleware turns errors into problems; what comes through is a defect of its own.
            logger.error("unanswered error", metadata: ["error": "\(error)"])
            response = Problem.defect.response()
        }
        response.headers[.date] = date.now
        response.headers[.xContentTypeOptions] = "nosniff"
        return response
    }
}

/// How many connections are open; known to others before there is a server.
final class OpenConnections: Sendable {
    private let open = Atomic<Int>(0)

    var count: Int { open.load(ordering: .relaxed) }

    /// Returns how many there are with this one.
    func come() -> Int { open.add(1, ordering: .relaxed).newValue }
    func leave() { open.subtract(1, ordering: .relaxed) }
}
