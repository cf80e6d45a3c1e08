import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Synchronization

/// Exchanges with providers in a file: recorded once from a real provider, played back in every test after that, without the
/// network and without a key.
///
/// The file has a line of JSON for each exchange, to be read and kept with the tests. Keys are not in it: no header of a request
/// is recorded, and the key, parts of it and what looks like one are taken out of what is said.
public final class Cassette: Sendable {
    /// What is done with it.
    public enum Mode: String, Sendable {
        /// Providers are asked, and each exchange is added to the file. An answer is read whole before it is given on.
        case record
        /// Nobody is asked: a request gets the next recorded answer to the same request.
        case replay
    }

    /// Bytes of a file that is played back: more than tests of a project record.
    private static let limit = 256 * 1024 * 1024

    /// What is done with it.
    public let mode: Mode
    private let path: String
    private let exchanges: Mutex<[RecordedExchange]>

    /// A cassette at `path`. To replay, it has to be there; to record, it is begun anew.
    ///
    /// - Throws: ``AgentError/Code/misconfigured``.
    public init(_ path: String, _ mode: Mode) throws(AgentError) {
        self.path = path
        self.mode = mode
        self.exchanges = Mutex(mode == .replay ? try Self.read(path) : [])
    }

    /// The recorded answer to `request`; each is given once.
    func response(to request: OutgoingRequest, secret: Secret?) throws(AgentError) -> HTTPClientResponse {
        let body = JSONValue(text: Secret.removed(from: request.body, secret))
        let found = exchanges.withLock { exchanges -> RecordedExchange? in
            guard let index = exchanges.firstIndex(where: { $0.path == request.path && $0.request == body }) else {
                return nil
            }
            return exchanges.remove(at: index)
        }
        guard let found else {
            throw AgentError(.misconfigured, "The cassette has no answer left to this request: record it again.")
        }
        return HTTPClientResponse(
            version: .http1_1,
            status: HTTPResponseStatus(statusCode: found.status),
            headers: HTTPHeaders(found.headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }),
            body: .bytes(ByteBuffer(string: found.answer))
        )
    }

    /// Reads the response whole, writes it down and gives it on.
    func recording(
        _ response: HTTPClientResponse,
        to request: OutgoingRequest,
        secret: Secret?
    ) async throws -> HTTPClientResponse {
        let body = try await response.body.collect(upTo: ProviderExchange.answerLimit)
        let kept = ["content-type", "retry-after", "retry-after-ms"]
        let headers = kept.compactMap { name in response.headers.first(name: name).map { (name, $0) } }
        let said = Secret.removed(from: request.body, secret)
        let exchange = RecordedExchange(
            path: request.path,
            request: JSONValue(text: said) ?? .string(said),
            status: Int(response.status.code),
            headers: Dictionary(headers, uniquingKeysWith: { $1 }),
            answer: Secret.removed(from: String(buffer: body), secret)
        )
        let lines = exchanges.withLock { exchanges in
            exchanges.append(exchange)
            return exchanges.map(\.line).joined()
        }
        try Data(lines.utf8).write(to: URL(filePath: path), options: .atomic)
        var whole = response
        // It is whole now, however its end was told.
        whole.headers.replaceOrAdd(name: "content-length", value: "\(body.readableBytes)")
        whole.body = .bytes(body)
        return whole
    }

    private static func read(_ path: String) throws(AgentError) -> [RecordedExchange] {
        guard let data = try? Data(contentsOf: URL(filePath: path)), data.count <= limit else {
            throw AgentError(.misconfigured, "There is no cassette at \(path).")
        }
        do {
            return try data.split(separator: UInt8(ascii: "\n")).map {
                try JSONDecoder().decode(RecordedExchange.self, from: Data($0))
            }
        } catch {
            throw AgentError(.misconfigured, "The cassette at \(path) cannot be read.")
        }
    }
}

/// A line of a ``Cassette``.
private struct RecordedExchange: Decodable {
    let path: String
    let request: JSONValue
    let status: Int
    let headers: [String: String]
    let answer: String

    var line: String {
        let fields: JSONValue = [
            "path": .string(path),
            "request": request,
            "status": .integer(status),
            "headers": .object(headers.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) }),
            "answer": .string(answer),
        ]
        return fields.text + "\n"
    }
}
