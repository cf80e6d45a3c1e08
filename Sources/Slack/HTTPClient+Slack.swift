public import AsyncHTTPClient
import NIOCore

extension HTTPClient {
    /// The client of all that are not given one. It lives as long as the process and is never shut down, as the event loops it runs on.
    public static let slack: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        // A redirect would take the token along to somewhere nobody wrote down.
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(connect: .seconds(3))
        // What is not there in time is of no use: nothing is tried twice.
        configuration.connectionPool.retryConnectionEstablishment = false
        // Slack speaks HTTP/2, where a hundred calls share a connection. Through a proxy that does not, a thousand questions at
        // once are a thousand calls at once: with the usual eight connections most would wait until they are of no use.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1_024
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()
}
