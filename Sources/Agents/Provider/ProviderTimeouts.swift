/// How long a request to a provider may take, phase by phase.
///
/// The time to connect belongs to the HTTP client: `HTTPClient.Configuration.agents(connect:)`.
public struct ProviderTimeouts: Sendable, Hashable {
    /// From sending the request to the first byte of the answer's body: models think before they speak.
    public var firstByte: Duration
    /// Between two pieces of the answer. The time its reader takes does not count.
    public var idle: Duration
    /// In all, retries and pauses included. A reader of the answer who takes longer is told when it asks for the next piece.
    public var total: Duration

    /// Timeouts.
    public init(firstByte: Duration = .seconds(60), idle: Duration = .seconds(60), total: Duration = .seconds(600)) {
        self.firstByte = firstByte
        self.idle = idle
        self.total = total
    }
}
