public import Logging

extension PostgresConnection {
    /// Connects. Throws `unavailable` when that fails and `timedOut` or `cancelled` when it is given up.
    ///
    /// The deadline is the earlier of the given one and the configuration's `connectTimeout`.
    ///
    /// - Parameters:
    ///   - logger: Told of the server's notices: severity and SQLSTATE, but not the text, which may hold data.
    ///   - onClose: Called once, on the reactor, when the connection closes for whatever reason; at once when the
    ///     server ends it, even when nothing uses it. Must be short and must not block.
    public static func connect(
        _ configuration: PostgresConfiguration,
        on reactor: Reactor = .shared,
        deadline: Instant? = nil,
        logger: Logger? = nil,
        onClose: (@Sendable () -> Void)? = nil
    ) async throws(PostgresError) -> PostgresConnection {
        let limit = Instant.now + configuration.connectTimeout
        let connection = PostgresConnection(configuration, reactor: reactor, logger: logger, onClose: onClose)
        let result = await withTaskCancellationHandler {
            // As for a statement: a busy global pool must not hold up the steps of connecting.
            await withTaskExecutorPreference(reactor) {
                await connection.open(until: min(deadline ?? limit, limit))
            }
        } onCancel: {
            reactor.submit { connection.assumeIsolated { $0.cancelConnecting() } }
        }
        try result.get()
        return connection
    }

    private func open(until deadline: Instant) async -> Result<Void, PostgresError> {
        do throws(PostgresError) {
            guard !Task.isCancelled else { throw PostgresError(.cancelled, "the task was cancelled before connecting") }
            let handle = try ConnectionHandle(connectingWith: configuration.keywords) { [logger] report in
                logger?.log(report)
            }
            self.handle = handle
            try await pollUntilConnected(handle, until: deadline)
            guard handle.prepareForUse() else { throw PostgresError(.protocolViolation, handle.message) }
            end()
            return .success(())
        } catch {
            close(because: error)
            return .failure(error)
        }
    }

    /// libpq's own loop for connecting: first wait until the socket can be written, then do as it says. The socket is
    /// asked for anew each time, since libpq goes through several hosts with one socket each.
    private func pollUntilConnected(_ handle: ConnectionHandle, until deadline: Instant) async throws(PostgresError) {
        var interest = Interest.write
        while true {
            let socket = handle.socket
            guard !handle.isBroken, socket >= 0 else { throw PostgresError(.unavailable, handle.message) }
            switch await reactor.wait(socket, for: interest, until: deadline) {
            case .ready: break
            case .interrupted:
                guard self.handle != nil, !isCancelled else {
                    throw PostgresError(.cancelled, "the task was cancelled while connecting")
                }
            case .deadlinePassed: throw PostgresError(.timedOut, "the server did not answer in time")
            case .failed(let errno): throw PostgresError(.unavailable, "the socket cannot be watched: errno \(errno)")
            }
            switch handle.pollConnect() {
            case .wait(let next): interest = next
            case .connected: return
            case .failed: throw PostgresError(.unavailable, handle.message)
            }
        }
    }

    private func cancelConnecting() {
        guard let handle, !isBusy else { return }
        isCancelled = true
        reactor.interrupt(handle.socket)
    }
}

extension Logger {
    /// A notice without its text, which may quote rows and parameters.
    fileprivate func log(_ notice: ServerReport) {
        let level: Logger.Level =
            switch notice.severity {
            case "WARNING", "FATAL", "PANIC": .warning
            case "DEBUG": .trace
            default: .debug
            }
        log(
            level: level,
            "notice of the server",
            metadata: [
                "severity": "\(notice.severity)", "sqlstate": "\(notice.state.rawValue)",
                "state": "\(notice.state.name)",
            ]
        )
    }
}
