import Glibc
import ScriptedProvider
import Testing

/// The provider of the other tests: that it ends as it should, whoever is connecting.
@Suite struct ScriptedProviderTests {
    /// A connection that came while it ended was once dropped without being closed, which ends the whole process.
    @Test func whoComesWhileItEndsIsClosed() async throws {
        for round in 0..<40 {
            let sockets = try await ScriptedProvider.withServer([]) { provider in
                let port = try #require(provider.url.split(separator: ":").last?.split(separator: "/").first)
                let sockets = try (0..<32).map { _ in try connect(to: #require(UInt16(port))) }
                // Somewhere between none and all of them have been accepted.
                usleep(useconds_t(round * 20))
                return sockets
            }
            for socket in sockets {
                var poller = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
                #expect(poll(&poller, 1, 10_000) == 1)
                var byte: UInt8 = 0
                #expect(recv(socket, &byte, 1, 0) <= 0)
                close(socket)
            }
        }
    }

    /// Without waiting until it is connected.
    private func connect(to port: UInt16) throws -> CInt {
        let socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0 || errno == EINPROGRESS)
        return socket
    }
}
