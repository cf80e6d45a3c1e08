public import Contract
public import Wire

/// The streamed answer of a call: its items, and then its result. The call is made at once, and has one reader; leaving
/// the loop, or letting go of the stream unread, cancels the call.
public struct RPCStream<O: StreamingOperation>: Sendable {
    private let lease: StreamLease

    init(_ buffer: StreamBuffer) {
        lease = StreamLease(buffer)
    }

    /// One that was never asked for.
    static func failed(_ error: ServiceError) -> RPCStream {
        let buffer = StreamBuffer(window: 1) { _ in }
        buffer.finish(.failure(error))
        return RPCStream(buffer)
    }

    /// The items, decoded. Reading throws `ServiceError`.
    public var items: Items { Items(lease: lease) }
    /// The items as they came, not decoded. Reading throws `ServiceError`.
    public var json: Texts { Texts(lease: lease) }

    /// The result that follows the items; those not yet read are passed over.
    public var result: O.Result {
        get async throws(ServiceError) {
            try decodeAnswer(try await resultJSON, of: O.name)
        }
    }

    /// The result, not decoded.
    public var resultJSON: JSON {
        get async throws(ServiceError) { try await lease.buffer.result() }
    }

    /// Why the stream has failed, if it has; items not yet read are not waited for.
    var failure: ServiceError? { lease.buffer.failure }

    /// The next item, for who goes on holding the stream: an iterator that ends would cancel the call.
    func next() async throws(ServiceError) -> O.Item? {
        guard let text = try await lease.buffer.next() else { return nil }
        return try decodeAnswer(text, of: O.name)
    }

    /// Leaves the stream, whoever reads it.
    func cancel() { lease.buffer.cancel() }

    /// The items of a stream, not decoded.
    public struct Texts: AsyncSequence, Sendable {
        /// One item.
        public typealias Element = JSON
        /// Why the stream failed.
        public typealias Failure = ServiceError
        fileprivate let lease: StreamLease

        /// One reader.
        public func makeAsyncIterator() -> Iterator { Iterator(lease: lease) }

        /// Reads; when it goes, the call is cancelled unless it has ended.
        public struct Iterator: AsyncIteratorProtocol {
            /// One item.
            public typealias Element = JSON
            /// Why the stream failed.
            public typealias Failure = ServiceError
            fileprivate let lease: StreamLease
            fileprivate let reading: StreamLease

            fileprivate init(lease: StreamLease) {
                self.lease = lease
                reading = StreamLease(lease.buffer)
            }

            /// The next item; nil after the last.
            public mutating func next(
                isolation actor: isolated (any Actor)? = #isolation
            ) async throws(ServiceError) -> JSON? {
                try await reading.buffer.next()
            }
        }
    }

    /// The items of a stream, decoded.
    public struct Items: AsyncSequence, Sendable {
        /// One item.
        public typealias Element = O.Item
        /// Why the stream failed.
        public typealias Failure = ServiceError
        fileprivate let lease: StreamLease

        /// One reader.
        public func makeAsyncIterator() -> Iterator { Iterator(texts: Texts(lease: lease).makeAsyncIterator()) }

        /// Reads; when it goes, the call is cancelled unless it has ended.
        public struct Iterator: AsyncIteratorProtocol {
            /// One item.
            public typealias Element = O.Item
            /// Why the stream failed.
            public typealias Failure = ServiceError
            fileprivate var texts: Texts.Iterator

            /// The next item; nil after the last.
            public mutating func next(
                isolation actor: isolated (any Actor)? = #isolation
            ) async throws(ServiceError) -> O.Item? {
                guard let text = try await texts.next(isolation: actor) else { return nil }
                return try decodeAnswer(text, of: O.name)
            }
        }
    }
}

/// Whoever holds it may still read; when the last one, or the loop that reads, lets go, the call is cancelled.
private final class StreamLease: Sendable {
    let buffer: StreamBuffer

    init(_ buffer: StreamBuffer) {
        self.buffer = buffer
    }

    deinit {
        buffer.cancel()
    }
}

/// An answer that is not what the contract says is a defect of the service, or of the version skew.
func decodeAnswer<T: Decodable>(_ answer: JSON, of operation: String) throws(ServiceError) -> T {
    do {
        return try answer.decode(T.self)
    } catch {
        throw .internal("The answer of \(operation) is not what the contract says.")
    }
}
