public import NIOCore
internal import NIOPosix

/// The event loop of a process. One is enough for its sockets, a second changes nothing for a connection, and one thread
/// keeps an idle process small.
public enum RPCEventLoop {
    /// A group of one loop, for the life of the process.
    public static let shared: any EventLoopGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
}
