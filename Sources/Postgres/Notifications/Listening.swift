import Logging

extension ConnectionPool {
    /// What `NOTIFY` says on a channel, on a connection of its own beside those of the pool.
    ///
    ///     for await event in try pool.listen(to: "runs") {
    ///         switch event {
    ///         case .gap: look for everything
    ///         case .lost: do not count on being told
    ///         case .notification(let notification): look for that one
    ///         }
    ///     }
    ///
    /// Connects at the first `next`, again whenever the connection is lost, and listens until the iterator is let go.
    /// While Postgres is away it waits. Notifications are wake-ups, not data: those of a time without a connection are
    /// lost, and of more than 256 unread ones the oldest are. Then, and at the beginning, a `gap` comes; for a lost connection `lost`
    /// first, before it is known when there will be another.
    ///
    /// - Throws: `invalidParameter` for a name Postgres has no room for, `invalidConfiguration` behind pgbouncer.
    public func listen(to channel: String) throws(PostgresError) -> Listening {
        guard (1...63).contains(channel.utf8.count), !channel.utf8.contains(0) else {
            throw PostgresError(.invalidParameter, "a channel's name has 1 to 63 bytes and no NUL")
        }
        guard !configuration.isBehindPgBouncer else {
            throw PostgresError(
                .invalidConfiguration,
                "LISTEN needs a session of its own, which pgbouncer does not give"
            )
        }
        return Listening(pool: self, channel: channel)
    }
}

/// The notifications of one channel; see `ConnectionPool.listen`.
public struct Listening: AsyncSequence, Sendable {
    /// What is heard.
    public enum Event: Sendable, Hashable {
        /// From here on notifications are heard. Any number may have been missed before.
        case gap
        /// The connection was lost: nothing is heard until the next `gap`.
        case lost
        case notification(PostgresNotification)
    }

    let pool: ConnectionPool
    let channel: String

    /// Begins to listen at the first `next`.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(pool: pool, channel: channel)
    }

    /// Owns the connection that listens.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let pool: ConnectionPool
        private let channel: String
        private var pause: Duration
        private var connection: PostgresConnection?

        init(pool: ConnectionPool, channel: String) {
            self.pool = pool
            self.channel = channel
            pause = pool.limits.shortestPause
        }

        /// The next event; nil when the task was cancelled or the pool stopped.
        public mutating func next() async -> Event? {
            while !Task.isCancelled, !pool.isStopped {
                guard let connection else {
                    if await connect() { return .gap }
                    continue
                }
                if await connection.takeOverflow() { return .gap }
                // Every iterator takes from the same stream. It ends with the connection, or with the task.
                var notifications = connection.notifications.makeAsyncIterator()
                if let notification = await notifications.next() { return .notification(notification) }
                self.connection = nil
                if !Task.isCancelled, !pool.isStopped { return .lost }
            }
            await connection?.close()
            connection = nil
            return nil
        }

        private mutating func connect() async -> Bool {
            // Whether Postgres is there is for the pool to find out.
            if !pool.isDown {
                do throws(PostgresError) {
                    let connection = try await PostgresConnection.connect(
                        pool.configuration,
                        on: pool.reactor,
                        logger: pool.logger
                    )
                    let name = channel.split(separator: "\"", omittingEmptySubsequences: false).joined(
                        separator: "\"\""
                    )
                    try await connection.query(Query(unsafe: "listen \"\(name)\""), isReadOnly: true)
                    self.connection = connection
                    pause = pool.limits.shortestPause
                    return true
                } catch {
                    pool.logger.debug("cannot listen", metadata: ["reason": "\(error)"])
                }
            }
            try? await Task.sleep(for: pause * Double.random(in: 0.5...1))
            pause = Swift.min(pause * 2, pool.limits.longestPause)
            return false
        }
    }
}
