/// What the gateway accepts from whoever may reach it.
struct HTTPLimits: Sendable {
    /// Open connections. Each costs some 20 KB; a thousand readers behind a proxy share far fewer.
    var connections = 1_024
    /// Connections over the limit that are told so before they are closed; further ones are just closed.
    var refusedConnections = 64
    /// All header fields of a request together: nothing of ours needs more than cookies and a token.
    var headerBytes = 16_384
    /// One header field, or the target of a request.
    var headerFieldBytes = 8_192
    /// Header fields of a request.
    var headerCount = 100
    /// A request's body: the longest question with room for escapes.
    var bodyBytes = 65_536
    /// How long a request's head may take to arrive, and a connection may stay without one.
    var idle = Duration.seconds(30)
    /// How long a connection without a request is still read when the server stops: a request that was sent before its
    /// client could know of the stop is answered.
    var stopping = Duration.milliseconds(500)
    /// How long a body may take to arrive.
    var body = Duration.seconds(30)
    /// How long a reader may leave what was sent to it unacknowledged.
    var unacknowledged = Duration.seconds(30)
    /// Between two signs of life of a stream with nothing to say: below the 60 s of common proxies.
    var keepAlive = Duration.seconds(15)
}
