import HTTPTypes
import Hummingbird
import Traces
import Wire

/// `Idempotency-Key`: the caller's name for what a request is to do, so that a repetition does nothing more.
enum IdempotencyKey {
    /// Below the protocol's 128, which storage uses for the role as well.
    private static let octets = 1...100

    /// Nil without the header: then a request that is repeated is done again.
    static func of(_ request: Request) throws(ServiceError) -> String? {
        guard let name = HTTPField.Name("idempotency-key") else { return nil }
        let values = request.headers[values: name]
        guard let key = values.first else { return nil }
        guard values.count == 1, octets.contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw .invalidArgument(
                "Idempotency-Key has to stand once, with \(octets.lowerBound) to \(octets.upperBound) visible characters of ASCII."
            )
        }
        return key
    }
}

/// `traceparent` (W3C Trace Context).
enum Trace {
    /// What is passed on with all that is done for a request: its span, where spans are kept. Else a caller's trace goes on
    /// here, and without one this is where it begins.
    static func of(_ request: Request) -> TraceParent {
        TraceParent.current ?? ofCaller(request) ?? TraceParent()
    }

    /// What the caller says; a malformed one is none.
    static func ofCaller(_ request: Request) -> TraceParent? {
        HTTPField.Name("traceparent").flatMap { request.headers[$0] }.flatMap(TraceParent.init)
    }
}
