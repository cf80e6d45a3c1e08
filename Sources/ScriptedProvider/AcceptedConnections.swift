import NIOCore
import NIOHTTP1
import Synchronization

/// Connections that are accepted and not served yet.
///
/// One that came while the listener closed is never taken out of the sequence of the accepted ones, and NIO ends the whole
/// process when a connection is dropped that nobody has finished.
final class AcceptedConnections: Sendable {
    typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, ByteBuffer>

    /// Nil when no more are accepted.
    private let waiting = Mutex<[ObjectIdentifier: Connection]?>([:])

    /// Makes a connection of a channel; nil, and closed, when no more are accepted.
    func add(_ channel: any Channel) throws -> ObjectIdentifier? {
        try waiting.withLock { waiting in
            guard waiting != nil else {
                channel.close(promise: nil)
                return nil
            }
            try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(HTTPRequestDecoder()))
            let id = ObjectIdentifier(channel)
            waiting?[id] = try Connection(wrappingChannelSynchronously: channel)
            return id
        }
    }

    /// The connection, for whoever serves it.
    func take(_ id: ObjectIdentifier?) -> Connection? {
        guard let id else { return nil }
        return waiting.withLock { $0?.removeValue(forKey: id) }
    }

    /// Closes those that nobody serves, and accepts no more.
    func end() async {
        for connection in waiting.withLock({ $0.take() ?? [:] }).values {
            try? await connection.executeThenClose { _, _ in }
        }
    }
}
