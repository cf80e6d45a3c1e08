import CLibPQ

/// The owner of a `PGconn`: with `ResultHandle` the only code that calls libpq. Nothing here blocks.
///
/// Belongs to one `PostgresConnection` and is used on its reactor only. Tell the reactor to forget `socket` before
/// letting go of this: the deinitialiser closes it.
final class ConnectionHandle {
    enum ConnectStep {
        case wait(Interest)
        case connected
        case failed
    }

    private let pointer: OpaquePointer

    /// The FATAL the server sent outside of any statement. libpq goes on believing in the connection; it is dead.
    private(set) var fatal: ServerReport?

    private let onNotice: (ServerReport) -> Void

    /// Begins to connect. Throws `unavailable` when not even that is possible.
    ///
    /// - Parameter onNotice: Told of what the server reports outside of results, while libpq reads.
    init(
        connectingWith keywords: [PostgresConfiguration.Keyword],
        onNotice: @escaping (ServerReport) -> Void
    ) throws(PostgresError) {
        let pointer = keywords.withCStrings { names, values in PQconnectStartParams(names, values, 0) }
        guard let pointer else { throw PostgresError(.unavailable, "no memory for a connection") }
        self.pointer = pointer
        self.onNotice = onNotice
        // Without a receiver libpq prints to standard error. The context is this object, which owns the connection and
        // so outlives every call.
        let context = Unmanaged.passUnretained(self).toOpaque()
        PQsetNoticeReceiver(
            pointer,
            { context, notice in
                guard let context, let notice else { return }
                let report = ServerReport(notice)
                let handle = Unmanaged<ConnectionHandle>.fromOpaque(context).takeUnretainedValue()
                if report.isFatal { handle.fatal = report }
                handle.onNotice(report)
            },
            context
        )
    }

    deinit {
        PQfinish(pointer)
    }

    /// The socket, -1 when there is none. Never kept: libpq changes it while it connects.
    var socket: Int32 { PQsocket(pointer) }

    var isBroken: Bool { PQstatus(pointer) == CONNECTION_BAD || fatal != nil }

    /// libpq's last message, the first line of it. While connecting it names host, role and database, no password.
    var message: String {
        let text = String(cString: PQerrorMessage(pointer))
        return String(text.split(separator: "\n").first ?? "no reason given")
    }

    /// The backend's process id, as in `pg_stat_activity`.
    var backendID: Int32 { PQbackendPID(pointer) }

    var isIdle: Bool { PQtransactionStatus(pointer) == PQTRANS_IDLE }

    var isInTransaction: Bool {
        PQtransactionStatus(pointer) == PQTRANS_INTRANS || PQtransactionStatus(pointer) == PQTRANS_INERROR
    }

    var isInFailedTransaction: Bool { PQtransactionStatus(pointer) == PQTRANS_INERROR }

    // MARK: Connecting

    func pollConnect() -> ConnectStep {
        switch PQconnectPoll(pointer) {
        case PGRES_POLLING_OK: .connected
        case PGRES_POLLING_READING: .wait(.read)
        case PGRES_POLLING_WRITING: .wait(.write)
        default: .failed
        }
    }

    /// Sets what every exchange relies on. False when libpq refuses.
    func prepareForUse() -> Bool {
        PQsetnonblocking(pointer, 1) == 0 && enterPipeline()
    }

    // MARK: Sending

    func enterPipeline() -> Bool { PQenterPipelineMode(pointer) == 1 }

    func exitPipeline() -> Bool { PQexitPipelineMode(pointer) == 1 }

    /// Sends several statements without parameters, outside pipeline mode.
    func send(script: String) -> Bool { PQsendQuery(pointer, script) == 1 }

    func send(prepare name: String, _ query: Query) -> Bool {
        PQsendPrepare(pointer, name, query.sql, Int32(query.parameters.count), query.parameters.types) == 1
    }

    func send(execute name: String, _ parameters: Parameters) -> Bool {
        parameters.withPointers { pointers in
            PQsendQueryPrepared(
                pointer,
                name,
                pointers.count,
                pointers.values,
                pointers.lengths,
                pointers.formats,
                1
            ) == 1
        }
    }

    func send(_ query: Query) -> Bool {
        query.parameters.withPointers { pointers in
            PQsendQueryParams(
                pointer,
                query.sql,
                pointers.count,
                pointers.types,
                pointers.values,
                pointers.lengths,
                pointers.formats,
                1
            ) == 1
        }
    }

    func sendSync() -> Bool { PQpipelineSync(pointer) == 1 }

    /// Sends what is queued. True when some of it had to stay, nil when the connection broke.
    func flush() -> Bool? {
        switch PQflush(pointer) {
        case 0: false
        case 1: true
        default: nil
        }
    }

    // MARK: Receiving

    /// Reads what has come. False when the connection broke.
    func consumeInput() -> Bool { PQconsumeInput(pointer) == 1 }

    /// Whether the next result is not complete yet.
    var isBusy: Bool { PQisBusy(pointer) == 1 }

    /// The next result; nil at the end of a statement's results.
    func nextResult() -> ResultHandle? {
        PQgetResult(pointer).map { ResultHandle(adopting: $0) }
    }

    func nextNotification() -> PostgresNotification? {
        guard let notification = PQnotifies(pointer) else { return nil }
        defer { PQfreemem(notification) }
        return PostgresNotification(
            channel: String(cString: notification.pointee.relname),
            payload: String(cString: notification.pointee.extra),
            backendID: notification.pointee.be_pid
        )
    }

    // MARK: Cancelling

    /// What another thread needs to ask the server to cancel.
    func cancelRequest() -> CancelRequest? {
        PQgetCancel(pointer).map { CancelRequest(adopting: $0) }
    }
}

/// The owner of a `PGcancel`.
final class CancelRequest: @unchecked Sendable {
    // Unchecked, because a PGcancel is immutable and made to be used by another thread than the connection's
    // (PostgreSQL manual, 34.7).

    private let pointer: OpaquePointer

    init(adopting pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        PQfreeCancel(pointer)
    }

    /// Connects to the postmaster, asks, and waits for it to close: blocks, without any limit when the postmaster is
    /// stopped. Whether it worked shows in how the statement ends.
    func send() {
        var reason = [CChar](repeating: 0, count: 256)
        _ = PQcancel(pointer, &reason, Int32(reason.count))
    }
}

/// What a `NOTIFY` told a connection that listens.
public struct PostgresNotification: Sendable, Hashable {
    /// The channel.
    public let channel: String
    /// The payload, empty when none was given. Below 8000 bytes.
    public let payload: String
    /// The process id of the backend that notified, as in `pg_stat_activity`.
    public let backendID: Int32
}
