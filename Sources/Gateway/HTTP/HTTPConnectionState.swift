import NIOCore
import NIOHTTP1

/// What a connection of HTTP/1 is waiting for, and what is to be done about what comes: pure, driven by
/// `HTTPConnectionHandler`.
///
/// Requests are forwarded in their order and answered in it. A request that cannot be read is answered here, behind those
/// before it, and is the last of its connection: nobody knows where the next one would begin.
struct HTTPConnectionState {
    /// A request that was forwarded and is not fully answered.
    private struct Exchange {
        var isHead: Bool
        var version: HTTPVersion
        /// No request follows on this connection.
        var isLast: Bool
    }

    private enum Reading: Equatable {
        /// Between requests; whether bytes of the next head have come.
        case head(begun: Bool)
        /// Within a forwarded request; the bytes of its body so far.
        case body(Int)
        /// Nothing that still comes is read.
        case nothing
    }

    /// What to do with what was read.
    enum Arrival: Equatable {
        case forward
        /// Forward, and tell the client to send its body.
        case forwardAndContinue
        case drop
        /// The request being read was forwarded already, and whoever reads its body is told.
        case fail(HTTPRefusal)
        /// Answer, and close.
        case answer(HTTPRefusal)
        case close
        /// Close, unless a request is on its way.
        case closeSoon
    }

    /// What to do once a response is written.
    enum Answered: Equatable {
        /// Wait for the next request.
        case wait
        case nothing
        case answer(HTTPRefusal)
        case close
    }

    private let limits: HTTPLimits
    private var reading = Reading.head(begun: false)
    private var exchanges = CircularBuffer<Exchange>()
    /// Waits for the responses before it.
    private var refusal: HTTPRefusal?
    private var isStopping = false

    init(limits: HTTPLimits) {
        self.limits = limits
    }

    /// Whether what comes may be a request.
    var readsRequests: Bool { reading != .nothing }
    /// Whether a response is being waited for.
    var isAnswering: Bool { !exchanges.isEmpty }
    /// Whether a request's body has not come to its end.
    var isReadingBody: Bool { if case .body = reading { true } else { false } }
    /// Whether the next head has begun to arrive.
    var hasBegunHead: Bool { reading == .head(begun: true) }

    /// Notes the first bytes of a head; true for those.
    mutating func headBegins() -> Bool {
        guard reading == .head(begun: false) else { return false }
        reading = .head(begun: true)
        return true
    }
}

// Reading.
extension HTTPConnectionState {
    mutating func head(_ head: HTTPRequestHead) -> Arrival {
        guard case .head = reading else { return .drop }
        if let refusal = refusal(of: head) { return fail(refusal) }
        reading = .body(0)
        exchanges.append(
            Exchange(isHead: head.method == .HEAD, version: head.version, isLast: isStopping || Self.isLast(head))
        )
        let expects = head.version != .http1_0 && head.headers.first(name: "expect")?.lowercased() == "100-continue"
        return expects && exchanges.count == 1 ? .forwardAndContinue : .forward
    }

    private func refusal(of head: HTTPRequestHead) -> HTTPRefusal? {
        // RFC 9112, 3.2.
        if head.version != .http1_0, head.headers["host"].count != 1 { return .host }
        if let length = head.headers.first(name: "content-length").flatMap({ Int($0) }), length > limits.bodyBytes {
            return .bodyTooLarge(limits.bodyBytes)
        }
        return nil
    }

    /// Clients of HTTP/1.0 wait for the end of the connection; behind a request for another protocol nothing is read.
    private static func isLast(_ head: HTTPRequestHead) -> Bool {
        !head.isKeepAlive || head.version == .http1_0 || head.method == .CONNECT
            || head.headers.contains(name: "upgrade")
    }

    mutating func body(_ bytes: Int) -> Arrival {
        guard case .body(let before) = reading else { return .drop }
        guard before + bytes <= limits.bodyBytes else { return fail(.bodyTooLarge(limits.bodyBytes)) }
        reading = .body(before + bytes)
        return .forward
    }

    mutating func end() -> Arrival {
        guard case .body = reading else { return .drop }
        reading = exchanges.last?.isLast == true || isStopping ? .nothing : .head(begun: false)
        return .forward
    }

    /// The request being read cannot be read further.
    mutating func fail(_ refusal: HTTPRefusal) -> Arrival {
        defer { reading = .nothing }
        switch reading {
        case .nothing: return .drop
        // Answered before it was read to its end: there is nobody left to tell.
        case .body: return exchanges.isEmpty ? .close : .fail(refusal)
        case .head:
            guard exchanges.isEmpty else {
                self.refusal = refusal
                return .drop
            }
            return .answer(refusal)
        }
    }

    /// Time is up: no request came, or none that is complete.
    mutating func timeCame() -> Arrival {
        guard exchanges.isEmpty else { return .drop }
        let begun = hasBegunHead
        reading = .nothing
        return begun ? .answer(.headTooSlow) : .close
    }

    /// Time is up for the body that is being read.
    mutating func bodyTimeCame() -> Arrival {
        isReadingBody ? fail(.bodyTooSlow(limits.body)) : .drop
    }

    /// The server is stopping: what is under way is finished, also on its way to here.
    mutating func stop() -> Arrival {
        isStopping = true
        return exchanges.isEmpty && reading == .head(begun: false) ? .closeSoon : .drop
    }
}

// Answering.
extension HTTPConnectionState {
    /// A response's head as it is sent; nil when no request waits for one.
    mutating func responds(_ head: HTTPResponseHead) -> HTTPResponseHead? {
        guard var exchange = exchanges.first else { return nil }
        if exchanges.count == 1, refusal == nil, isStopping || !readsRequests { exchange.isLast = true }
        if !head.headers[canonicalForm: "connection"].filter({ $0 == "close" }).isEmpty { exchange.isLast = true }
        exchanges[exchanges.startIndex] = exchange
        var head = head
        head.version = exchange.version
        if exchange.isLast { head.headers.replaceOrAdd(name: "connection", value: "close") }
        return head
    }

    /// Whether a piece of a response's body is sent: not to a `HEAD`, which is answered like a `GET` but for that.
    var sendsBody: Bool { exchanges.first.map { !$0.isHead } ?? false }

    /// A response is complete.
    mutating func responded() -> Answered {
        guard let exchange = exchanges.popFirst() else { return .nothing }
        if exchange.isLast {
            reading = .nothing
            return .close
        }
        guard exchanges.isEmpty else { return .nothing }
        if let refusal {
            self.refusal = nil
            return .answer(refusal)
        }
        if isStopping || !readsRequests {
            reading = .nothing
            return .close
        }
        return .wait
    }
}
