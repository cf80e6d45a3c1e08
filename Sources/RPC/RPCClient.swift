public import Contract
public import Logging
public import NIOCore
public import ServiceLifecycle
public import Traces
internal import Tracing
public import Wire

/// Calls a service over one connection, which is made by the first call and made again when it breaks.
///
/// A connection takes as many calls as the service said (64 at least); further ones wait here, in order, until their deadlines.
/// So do calls made while there is no connection, unless connecting has failed for longer than `Limits.patience`: then
/// they fail at once as `unavailable`. Whoever keeps many streams open for long gives them a client of their own.
public final class RPCClient: Service {
    private let exchange: NIOLoopBoundBox<Exchange>
    private let loop: any EventLoop
    private let cell = PresenceCell()
    private let name: String
    private let recorder: SpanRecorder?

    /// Whether it is connected. Asking does not connect it.
    public var presence: Presence { cell.presence }

    /// A client; nothing happens before `run()`, calls made earlier wait for it.
    /// - Parameters:
    ///   - path: the service's socket for this role.
    ///   - role: who calls.
    ///   - name: the service that is called, for the log and the sentences of errors.
    ///   - recorder: what keeps the spans of calls; nil where none are kept.
    ///   - group: the event loops to use; the process' one unless another is given.
    public init(
        path: String,
        role: Role,
        name: String,
        limits: Limits = .standard,
        logger: Logger,
        recorder: SpanRecorder? = nil,
        group: any EventLoopGroup = RPCEventLoop.shared
    ) {
        self.name = name
        self.recorder = recorder
        loop = group.next()
        let introduction = Message.Hello(role: role.rawValue, build: "", limits: Message.Accepted(limits))
        exchange = .makeBoxSendingValue(
            Exchange(
                path: path,
                service: name,
                introduction: introduction,
                limits: limits,
                logger: logger,
                loop: loop,
                presence: cell
            ),
            eventLoop: loop
        )
    }

    /// Owns the connection. At the graceful shutdown no more calls are taken, those in flight are finished; when the task
    /// is cancelled they fail at once.
    public func run() async {
        start()
        try? await gracefulShutdown()
        await close()
    }

    /// A client for one piece of work, such as a command's.
    public static func withConnection<R>(
        path: String,
        role: Role,
        name: String,
        limits: Limits = .standard,
        logger: Logger = Logger(label: "rpc") { _ in SwiftLogNoOpLogHandler() },
        _ work: (RPCClient) async throws -> R
    ) async rethrows -> R {
        let client = RPCClient(path: path, role: role, name: name, limits: limits, logger: logger)
        client.start()
        do {
            let result = try await work(client)
            await client.close()
            return result
        } catch {
            await client.close()
            throw error
        }
    }

    /// Calls an operation.
    /// - Parameters:
    ///   - deadline: how long to wait, for a connection and for the answer.
    ///   - idempotencyKey: 1 to 128 octets that name the intention, where the operation accepts one.
    ///   - traceparent: the span that calls.
    /// - Throws: `ServiceError`. `cancelled` at once when the task is cancelled.
    public func perform<O: Operation>(
        _ operation: O,
        deadline: Duration = .seconds(30),
        idempotencyKey: String? = nil,
        traceparent: TraceParent? = nil
    ) async throws(ServiceError) -> O.Result {
        let answer = try await json(
            operation,
            deadline: deadline,
            idempotencyKey: idempotencyKey,
            traceparent: traceparent
        )
        return try decodeAnswer(answer, of: O.name)
    }

    /// Calls an operation as part of answering another call: within what remains of its deadline, and in its trace.
    /// - Throws: as `perform`.
    public func perform<O: Operation>(
        _ operation: O,
        within context: CallContext,
        idempotencyKey: String? = nil
    ) async throws(ServiceError) -> O.Result {
        try await perform(
            operation,
            deadline: context.remaining,
            idempotencyKey: idempotencyKey,
            traceparent: context.traceparent
        )
    }

    /// Calls an operation, and passes its answer on without decoding it.
    /// - Throws: as `perform`.
    public func json<O: Operation>(
        _ operation: O,
        deadline: Duration = .seconds(30),
        idempotencyKey: String? = nil,
        traceparent: TraceParent? = nil
    ) async throws(ServiceError) -> JSON {
        if let transaction = Transaction.enclosing(self) {
            return try await transaction.call(operation, deadline: deadline, idempotencyKey: idempotencyKey)
        }
        return try await json(
            operation,
            deadline: deadline,
            idempotencyKey: idempotencyKey,
            traceparent: traceparent,
            within: nil
        )
    }

    /// As above, for a call within another one.
    /// - Parameter isCancellable: false for what has to be said also when the task is cancelled, such as a rollback.
    func json<O: Operation>(
        _ operation: O,
        deadline: Duration,
        idempotencyKey: String? = nil,
        traceparent: TraceParent? = nil,
        within scope: Ticket?,
        isCancellable: Bool = true
    ) async throws(ServiceError) -> JSON {
        let arguments = try encodeArguments(operation, idempotencyKey: idempotencyKey)
        if isCancellable, Task.isCancelled { throw .cancelled() }
        let ticket = Ticket()
        let traceparent = parent(or: traceparent)
        let span = recorder?.calling(O.name, of: name, for: traceparent)
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                submit(
                    Request(
                        operation: O.name,
                        arguments: arguments,
                        deadline: deadline,
                        idempotencyKey: idempotencyKey,
                        traceparent: span?.traceParent ?? traceparent,
                        ticket: ticket,
                        within: scope,
                        waiter: .answer(continuation)
                    )
                )
            }
        } onCancel: {
            if isCancellable { cancel(ticket) }
        }
        span?.end(outcome)
        return try outcome.get()
    }

    /// Calls an operation that answers with a stream; the call is made at once.
    /// - Parameters:
    ///   - deadline: how long the reader waits for the next item.
    ///   - credit: how many items the service may be ahead of the reader, 1 to 256. They are held in memory.
    public func stream<O: StreamingOperation>(
        _ operation: O,
        deadline: Duration = .seconds(30),
        credit: Int = 32,
        idempotencyKey: String? = nil,
        traceparent: TraceParent? = nil
    ) -> RPCStream<O> {
        guard Transaction.enclosing(self) == nil else {
            return .failed(
                .failedPrecondition(
                    "\(O.name) streams, and no stream can be part of the transaction that this test is rolled back with: "
                        + "give the test a storage of its own."
                )
            )
        }
        return stream(
            operation,
            deadline: deadline,
            credit: credit,
            idempotencyKey: idempotencyKey,
            traceparent: traceparent,
            ticket: Ticket()
        )
    }

    /// As above, for a call that further ones may name as their scope.
    func stream<O: StreamingOperation>(
        _ operation: O,
        deadline: Duration,
        credit: Int,
        idempotencyKey: String?,
        traceparent: TraceParent?,
        ticket: Ticket
    ) -> RPCStream<O> {
        let (exchange, loop) = (self.exchange, self.loop)
        let traceparent = parent(or: traceparent)
        let span = recorder?.calling(O.name, of: name, for: traceparent)
        let buffer = StreamBuffer(window: min(max(credit, 1), Limits.standard.credit), span: span) { wish in
            switch wish {
            case .grant(let items): loop.execute { exchange.value.grant(items, to: ticket) }
            case .waiting: loop.execute { exchange.value.readerWaits(ticket) }
            case .cancel:
                ticket.withdraw()
                loop.execute { exchange.value.cancel(ticket) }
            }
        }
        do throws(ServiceError) {
            submit(
                Request(
                    operation: O.name,
                    arguments: try encodeArguments(operation, idempotencyKey: idempotencyKey),
                    deadline: deadline,
                    idempotencyKey: idempotencyKey,
                    traceparent: span?.traceParent ?? traceparent,
                    ticket: ticket,
                    waiter: .stream(buffer)
                )
            )
        } catch {
            buffer.finish(.failure(error))
        }
        return RPCStream(buffer)
    }
}

extension RPCClient {
    private func start() {
        let exchange = self.exchange
        loop.execute { exchange.value.start() }
    }

    private func close() async {
        let exchange = self.exchange
        await withTaskCancellationHandler {
            // The future never fails.
            try? await loop.flatSubmit { exchange.value.close(atOnce: false) }.get()
        } onCancel: {
            loop.execute { _ = exchange.value.close(atOnce: true) }
        }
    }

    /// Where spans are kept, the one the task is within; what its caller names is further up, or the same.
    private func parent(or given: TraceParent?) -> TraceParent? {
        recorder == nil ? given : TraceParent.current ?? given
    }

    private func submit(_ request: Request) {
        let exchange = self.exchange
        loop.execute { exchange.value.submit(request) }
    }

    private func cancel(_ ticket: Ticket) {
        ticket.withdraw()
        let exchange = self.exchange
        loop.execute { exchange.value.cancel(ticket) }
    }

    private func encodeArguments<O: Operation>(
        _ operation: O,
        idempotencyKey: String?
    ) throws(ServiceError) -> JSON {
        if let key = idempotencyKey, !(1...Limits.idempotencyKeyBytes).contains(key.utf8.count) || key.contains("\0") {
            throw .invalidArgument("An idempotency key has 1 to \(Limits.idempotencyKeyBytes) octets.")
        }
        do {
            let arguments = try operation.encoded()
            guard arguments.isObject else { throw ServiceError.invalidArgument("Arguments are an object.") }
            return arguments
        } catch let violation as ProtocolViolation {
            throw .invalidArgument("The arguments of \(O.name) cannot be sent: \(violation.detail).")
        } catch {
            throw .invalidArgument("The arguments of \(O.name) cannot be sent.")
        }
    }
}
