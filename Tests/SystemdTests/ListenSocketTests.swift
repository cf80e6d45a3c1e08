import Glibc
import Systemd
import Testing

@Suite(.serialized) struct ListenSocketTests {
    @Test func aListeningTCPSocketIsAcceptedAndMadeSafeToInherit() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        #expect(listen(descriptor, 1) == 0)
        let socket = try ListenSocket(name: "http", verifying: descriptor)
        guard case .inet(let address, let port) = socket.kind else {
            Issue.record("\(socket.kind) is not a TCP socket")
            return
        }
        #expect(address == "0.0.0.0")
        #expect(port > 0)
        #expect(socket.kind.description == "0.0.0.0:\(port)")
        #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
        #expect(fcntl(descriptor, F_GETFL) & O_NONBLOCK != 0)
    }

    @Test func aSocketThatDoesNotListenIsRefused() {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        #expect(throws: ListenSocketError.notAListeningStream(name: "http")) {
            try ListenSocket(name: "http", verifying: descriptor)
        }
    }

    @Test func aDatagramSocketIsRefused() {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(descriptor) }
        #expect(throws: ListenSocketError.notAListeningStream(name: "admin")) {
            try ListenSocket(name: "admin", verifying: descriptor)
        }
    }

    @Test func aFileAndAClosedDescriptorAreRefused() {
        let file = open("/dev/null", O_RDONLY | O_CLOEXEC)
        #expect(throws: ListenSocketError.self) { try ListenSocket(name: "gateway", verifying: file) }
        close(file)
        #expect(throws: ListenSocketError.self) { try ListenSocket(name: "gateway", verifying: -1) }
    }

    @Test func anIPv6AddressIsWrittenInBrackets() {
        #expect(ListenSocket.Kind.inet(address: "::1", port: 8080).description == "[::1]:8080")
    }

    @Test func theSocketsOfAProcessAreTakenOnce() throws {
        // This process was not activated, so the first time there are none.
        #expect(try ListenSockets.take().isEmpty)
        #expect(throws: ListenSocketError.alreadyTaken) { try ListenSockets.take() }
    }
}
