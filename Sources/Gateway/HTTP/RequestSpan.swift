import HTTPTypes
import Hummingbird
import NIOCore
import Traces
import Tracing
import Wire

// The spans of requests, by OpenTelemetry's conventions for HTTP. Neither a query nor a body is told: they are a reader's words.
extension SpanRecorder {
    /// Asked for every few seconds by monitoring; they begin no trace.
    private static let looks: Set = ["/livez", "/readyz", "/metrics"]

    /// A request that came in. One that is not kept hands that on, so that nobody who is asked for it keeps it either.
    func answering(_ request: Request, from peer: SocketAddress?) -> RecordedSpan {
        let isLook = Self.looks.contains(request.uri.path)
        let parent = Trace.ofCaller(request) ?? (isLook ? TraceParent() : nil)
        let span = start("\(request.method)", .server, within: parent)
        guard span.isRecording else { return span }
        span.attributes = [
            "http.request.method": .string(request.method.rawValue), "url.scheme": "http",
            "url.path": .string(request.uri.path), "network.protocol.name": "http",
        ]
        span.attributes["client.address"] = peer?.ipAddress
        span.attributes["user_agent.original"] = request.headers[.userAgent]
        return span
    }
}

extension RecordedSpan {
    /// What a request is answered with. Whoever asked is told the trace.
    func say(_ request: Request, _ route: String?, _ response: inout Response) {
        guard isRecording else { return }
        if let route {
            operationName = "\(request.method) \(route)"
            attributes["http.route"] = route
        }
        attributes["http.response.status_code"] = response.status.code
        if response.status.code >= 500 { fail("\(response.status.code)") }
        if let name = HTTPField.Name("traceresponse") { response.headers[name] = "\(traceParent)" }
    }
}
