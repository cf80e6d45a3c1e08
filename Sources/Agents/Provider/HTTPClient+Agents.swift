public import AsyncHTTPClient
public import NIOCore
import Tracing

extension HTTPClient {
    /// The client of all models that are not given one. It lives as long as the process and is never shut down, as the
    /// event loops it runs on.
    public static let agents = HTTPClient(eventLoopGroupProvider: .singleton, configuration: .agents())
}

extension HTTPClient.Configuration {
    /// How a client for model providers is to be set up. Who makes one owns it, and shuts it down.
    ///
    /// - Parameter connect: How long connecting, TLS included, may take.
    public static func agents(connect: TimeAmount = .seconds(5)) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        // A redirect would take the key along to somewhere nobody wrote down.
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(connect: connect)
        // The model retries; a second retry below it would multiply the two.
        configuration.connectionPool.retryConnectionEstablishment = false
        // Who runs agents bounds how many. A queue here, unseen, would use up the time to connect.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 16_384
        configuration.http1_1ConnectionDebugInitializer = { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(FlushOnce(), position: .first)
            }
        }
        // Its own spans would end with the head of an answer, and tell the provider of our traces.
        configuration.tracing.tracer = nil
        return configuration
    }
}
