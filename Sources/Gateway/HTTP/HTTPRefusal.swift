import HTTPTypes
import HummingbirdCore
import NIOHTTP1
import Wire

/// A request that is refused for reasons of HTTP itself, with a status that the protocol's codes do not have.
struct HTTPRefusal: Error, Sendable, Equatable {
    let status: Int
    let error: ServiceError
    /// What may be done instead, for a method that is not allowed.
    var allow: String?

    init(_ status: Int, _ message: String) {
        self.status = status
        error = .invalidArgument(message)
    }

    private init(_ error: ServiceError) {
        status = error.code.httpStatus
        self.error = error
    }

    var problem: Problem { Problem(error, status: status) }

    /// The problem as a response.
    var response: Response {
        var response = problem.response(retryAfterMilliseconds: error.afterMilliseconds)
        response.headers[.allow] = allow
        // A client that was too slow is not waited for once more.
        if status == 408 { response.headers[.connection] = "close" }
        return response
    }
}

extension HTTPRefusal {
    static let headTooSlow = HTTPRefusal(408, "The head of the request did not arrive in time.")

    static func bodyTooSlow(_ limit: Duration) -> HTTPRefusal {
        HTTPRefusal(408, "The body did not arrive within \(limit.components.seconds) s.")
    }

    static func bodyTooLarge(_ limit: Int) -> HTTPRefusal {
        HTTPRefusal(413, "The body has more than \(limit) bytes.")
    }

    static func targetTooLong(_ limit: Int) -> HTTPRefusal {
        HTTPRefusal(414, "The target of the request has more than \(limit) bytes.")
    }

    static let mediaType = HTTPRefusal(415, "The body has to be JSON: send it with Content-Type: application/json.")

    static let host = HTTPRefusal(400, "A request of HTTP/1.1 has exactly one Host header.")

    /// Readers share connections through a proxy, so this passes within moments.
    static let tooManyConnections = HTTPRefusal(
        .unavailable("Too many connections are open; try again in a moment.", afterMilliseconds: 1_000)
    )

    static func method(_ method: HTTPRequest.Method, path: String, allow: String) -> HTTPRefusal {
        var refusal = HTTPRefusal(405, "\(path) takes \(allow), not \(method).")
        refusal.allow = allow
        return refusal
    }

    /// What the decoder could not read.
    init(_ error: HTTPParserError, limits: HTTPLimits) {
        switch error {
        case .headerOverflow:
            self.init(
                431,
                "A request has at most \(limits.headerCount) header fields of \(limits.headerFieldBytes) bytes each, and \(limits.headerBytes) together."
            )
        case .invalidVersion, .paused:
            self.init(505, "This server speaks HTTP/1.1 and HTTP/1.0.")
        case .invalidMethod:
            self.init(400, "The request does not begin with a method of HTTP.")
        case .invalidURL, .invalidHost, .invalidPort, .invalidPath, .invalidQueryString, .invalidFragment:
            self.init(400, "The target of the request is not valid.")
        case .invalidHeaderToken:
            self.init(400, "A header field holds a character that it may not.")
        case .invalidContentLength, .unexpectedContentLength:
            self.init(400, "Content-Length is not a number, stands twice, or beside Transfer-Encoding.")
        case .invalidChunkSize:
            self.init(400, "A chunk of the body has no valid size.")
        case .invalidEOFState, .closedConnection:
            self.init(400, "The request ended before it was complete.")
        default:
            self.init(400, "The request is not written as HTTP/1.1 asks for.")
        }
    }
}
