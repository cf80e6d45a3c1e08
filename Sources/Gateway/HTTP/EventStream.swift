import Contract
import HTTPTypes
import Hummingbird
import NIOCore
import Wire

/// A run's events as server-sent events (WHATWG HTML, 9.2): the number as `id:`, the type as `event:`, the stored JSON as
/// `data:`, untouched.
struct EventStream: Sendable {
    /// Headers that keep proxies from gathering the events.
    static let headers: HTTPFields = {
        var headers: HTTPFields = [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store"]
        if let name = HTTPField.Name("x-accel-buffering") { headers[name] = "no" }
        return headers
    }()

    /// Whether a request asks for events rather than for one document.
    static func isWanted(by request: Request) -> Bool {
        request.headers[values: .accept].contains { $0.contains("text/event-stream") }
    }

    static func event(_ json: JSON) -> ByteBuffer {
        let sequence = json.member("sequence")?.description ?? "0"
        let type = (try? json.member("type")?.decode(String.self)) ?? "message"
        var buffer = ByteBuffer()
        buffer.writeString("id: \(sequence)\nevent: \(type)\ndata: ")
        buffer.writeImmutableBuffer(json.bytes)
        buffer.writeString("\n\n")
        return buffer
    }

    /// The last event of a stream that could not go on.
    static func problem(_ error: ServiceError, run: RunID) -> ByteBuffer {
        var buffer = ByteBuffer(string: "event: error\ndata: ")
        if let problem = try? JSON(encoding: Problem(error, run: run)) { buffer.writeImmutableBuffer(problem.bytes) }
        buffer.writeString("\n\n")
        return buffer
    }

    /// A comment, which readers ignore and proxies count as life.
    static let keepAlive = ByteBuffer(string: ": \n\n")
}
