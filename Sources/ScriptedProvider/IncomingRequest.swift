import NIOCore
import NIOHTTP1
import Synchronization

/// A request being read.
struct IncomingRequest {
    struct TooLong: Error {}

    private var head: HTTPRequestHead?
    private var body = ByteBuffer()

    /// The request, when this was its last part.
    mutating func add(_ part: HTTPServerRequestPart, limit: Int) throws -> RecordedRequest? {
        switch part {
        case .head(let head):
            self.head = head
            body.clear()
        case .body(let bytes):
            body.writeImmutableBuffer(bytes)
            guard body.readableBytes <= limit else { throw TooLong() }
        case .end:
            guard let head else { return nil }
            let headers = head.headers.map { ($0.name.lowercased(), $0.value) }
            return RecordedRequest(
                method: head.method.rawValue,
                path: head.uri,
                headers: Dictionary(headers, uniquingKeysWith: { "\($0), \($1)" }),
                body: String(buffer: body)
            )
        }
        return nil
    }
}

/// The requests of one connection that were answered to the end.
final class Answered: Sendable {
    private let positions = Mutex<Set<Int>>([])

    func insert(_ position: Int) {
        positions.withLock { _ = $0.insert(position) }
    }

    func contains(_ position: Int) -> Bool {
        positions.withLock { $0.contains(position) }
    }
}
