public import Contract
internal import Glibc
public import Logging
public import NIOCore
internal import NIOPosix
public import ServiceLifecycle
public import Traces
public import Wire

/// A socket a server listens on, and who may be at its other end.
public struct RPCListener: Sendable {
    /// Where a listening socket comes from.
    public enum Address: Sendable {
        /// A listening socket that was inherited, from systemd above all. The server listens on a copy of the
        /// descriptor: when it stops, whoever gave the socket still has it, and connections wait in its backlog.
        case descriptor(CInt)
        /// A file to make; one left behind by an earlier process is replaced. It is removed when the server stops.
        case path(String)
    }

    /// The role of the callers.
    public var role: Role
    /// The socket.
    public var address: Address

    /// A listener for a role.
    public init(role: Role, address: Address) {
        self.role = role
        self.address = address
    }
}

/// Serves a table of operations on sockets, one role each.
///
/// When it is told to stop it accepts no more, says `goaway`, finishes the calls in flight within the grace, and closes.
public final class RPCServer: Service {
    private let listeners: [RPCListener]
    private let state: ServerState
    private let group: any EventLoopGroup
    private let onListening: @Sendable () -> Void

    /// - Parameters:
    ///   - drain: whether it takes new calls, shared with what else lets work into the service.
    ///   - recorder: what keeps the spans of calls; nil where none are kept.
    ///   - group: the event loops to use; the process' one unless another is given.
    ///   - onListening: called once every listener accepts connections.
    ///   - onDisconnect: called on the event loop when a connection is gone, its calls cancelled: releases what is bound
    ///     to it. Not while the server stops: connections end then because of this side, and their peers come back.
    public init(
        _ listeners: [RPCListener],
        operations: Operations,
        limits: Limits = .standard,
        logger: Logger,
        drain: Drain = Drain(),
        recorder: SpanRecorder? = nil,
        group: any EventLoopGroup = RPCEventLoop.shared,
        onListening: @Sendable @escaping () -> Void = {},
        onDisconnect: (@Sendable (ConnectionID, Role) -> Void)? = nil
    ) {
        self.listeners = listeners
        self.group = group
        self.onListening = onListening
        state = ServerState(
            operations: operations,
            limits: limits,
            logger: logger,
            drain: drain,
            recorder: recorder,
            onDisconnect: onDisconnect
        )
    }

    /// What the service has done since it started; read at any time, from anywhere.
    public var stats: Stats { state.stats() }

    /// How the service is, in a few words: `ready; 3 calls, 2 runs`, or why it is not.
    /// - Parameter more: what else it does, counted.
    public func summary(_ more: String...) -> String {
        let health = state.healthNow()
        let work = (["\(health.inFlight) \(health.inFlight == 1 ? "call" : "calls")"] + more).joined(separator: ", ")
        return health.ready ? "ready; \(work)" : "not ready: \(health.reasons.joined(separator: "; ")); \(work)"
    }

    /// How many calls were ever begun, as a sign of life; nil while some are in flight. Not counted are those answered from
    /// memory, and streams that stand waiting are no work either.
    public var activity: Int? { state.callsInFlight == 0 ? state.callsBegun : nil }

    /// Says with its farewell that it ends for want of work, so that nobody connects again only to look after it.
    public func leaveForWantOfWork() {
        state.becomeIdle()
    }

    /// Counts work that came in on another way, such as HTTP. The names and codes have to be few and known beforehand.
    /// - Parameter code: why it failed; nil when it did not.
    public func count(_ operation: String, since started: ContinuousClock.Instant, code: String?) {
        state.ledger.ended(operation, started: started, code)
    }

    /// Serves until the graceful shutdown, or until the task is cancelled, which cuts at once.
    /// - Throws: when a socket cannot be listened on.
    public func run() async throws {
        var channels: [any Channel] = []
        do {
            for listener in listeners { channels.append(try await listen(on: listener)) }
        } catch {
            for channel in channels { try? await channel.close() }
            throw error
        }
        onListening()
        try? await gracefulShutdown()
        for channel in channels { try? await channel.close() }
        await drain()
    }

    private func drain() async {
        let state = self.state
        let loop = group.next()
        state.tellAll(.goAway)
        let cut = loop.scheduleTask(in: TimeAmount(state.limits.grace)) { state.tellAll(.cut) }
        // Cancelled handlers get half as long again; one that ignores its cancellation cannot hold the process.
        let giveUp = loop.scheduleTask(in: TimeAmount(state.limits.grace * 1.5)) { state.giveUp() }
        await withTaskCancellationHandler {
            await state.drained()
        } onCancel: {
            state.tellAll(.cut)
        }
        cut.cancel()
        giveUp.cancel()
    }

    private func listen(on listener: RPCListener) async throws -> any Channel {
        let state = self.state
        let role = listener.role
        let open = Occupancy(limit: state.limits.connections, makesRoom: role == .admin)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 128)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(
                .writeBufferWaterMark,
                value: .init(low: state.limits.outQueueBytes / 4, high: state.limits.outQueueBytes)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try Self.accept(channel, role: role, state: state, open: open)
                }
            }
        switch listener.address {
        case .path(let path):
            return try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
        case .descriptor(let descriptor):
            let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
            guard copy >= 0 else { throw IOError(errnoCode: errno, reason: "fcntl(F_DUPFD_CLOEXEC)") }
            return try await bootstrap.withBoundSocket(copy).get()
        }
    }

    private static func accept(
        _ channel: any Channel,
        role: Role,
        state: ServerState,
        open: Occupancy
    ) throws {
        let loop = channel.eventLoop
        let end = ServiceEnd(role: role, state: state, occupancy: open, loop: loop)
        let (id, bound) = (end.id, NIOLoopBound(end, eventLoop: loop))
        guard open.admit(id, leave: { loop.execute { bound.value.makeRoom() } }) else {
            let text = "\(state.limits.connections) connections are open on this socket already."
            return try channel.pipeline.syncOperations.addHandler(Refusal(.resourceExhausted(text)))
        }
        channel.closeFuture.whenComplete { _ in open.left(id) }
        if let provider = channel as? any SocketOptionProvider {
            let peer: EventLoopFuture<PeerCredentials> = provider.unsafeGetSocketOption(
                level: .socket,
                name: NIOBSDSocket.Option(rawValue: SO_PEERCRED)
            )
            peer.assumeIsolated().whenSuccess { end.peer = $0 }
        }
        let link = Link(end: end, limits: state.limits, awaitsHello: role != .admin)
        try channel.pipeline.syncOperations.addHandler(link)
    }
}

/// Tells a connection that is one too many, and closes it.
private final class Refusal: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let error: ServiceError

    init(_ error: ServiceError) {
        self.error = error
    }

    func channelActive(context: ChannelHandlerContext) {
        var encoder = FrameEncoder(limit: Limits.smallestFrameBytes)
        var buffer = ByteBuffer()
        // The sentence above always fits.
        try? encoder.encode(.error(id: nil, error), into: &buffer)
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(buffer)).whenComplete { _ in channel.close(promise: nil) }
    }
}
