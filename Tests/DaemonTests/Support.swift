import Daemon
import Dispatch
import FoundationEssentials
import Glibc
import Systemd
import Testing

/// The fixture executable, which the build puts beside the tests.
let probePath: String = {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    readlink("/proc/self/exe", &buffer, buffer.count - 1)
    let runner = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let candidates = [runner] + CommandLine.arguments.filter { $0.hasSuffix(".xctest") }
    let folders = candidates.map { $0.split(separator: "/", omittingEmptySubsequences: false).dropLast() }
    let paths = folders.map { $0.joined(separator: "/") + "/ActivationProbe" }
    return paths.first { FileManager.default.isExecutableFile(atPath: $0) } ?? "ActivationProbe"
}()

/// A short directory of its own: a Unix socket's path has 107 bytes.
func withScratch<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    var template = Array("/tmp/octavo-XXXXXX".utf8CString)
    let directory = String(cString: try #require(mkdtemp(&template)))
    defer { try? FileManager.default.removeItem(atPath: directory) }
    return try await body(directory)
}

/// Datagrams that arrive at a path: what systemd's notify socket and journald's socket receive.
final class DatagramInbox: Sendable {
    let messages: AsyncStream<[UInt8]>
    private let descriptor: Int32

    init(at path: String) throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        let (stream, continuation) = AsyncStream<[UInt8]>.makeStream()
        self.descriptor = descriptor
        self.messages = stream
        DispatchQueue(label: "inbox").async {
            var buffer = [UInt8](repeating: 0, count: 256 * 1024)
            while case let count = recv(descriptor, &buffer, buffer.count, 0), count > 0 {
                continuation.yield(Array(buffer[..<count]))
            }
            continuation.finish()
            close(descriptor)
        }
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// The messages up to and with the first that satisfies `isLast`, without those that come every few seconds.
    func texts(until isLast: (String) -> Bool) async -> [String] {
        var all: [String] = []
        for await message in messages {
            let text = String(decoding: message, as: UTF8.self)
            if isLast(text) { return all + [text] }
            if text != "STATUS=probing" { all.append(text) }
        }
        return all
    }
}

/// What is written to a pipe until its last writer is gone.
struct Output: Sendable {
    let writer: Int32
    private let reader: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (reader, writer) = (ends[0], ends[1])
    }

    /// Closes this process's end, so that the end of the child is the end of the text.
    func text() async -> String {
        close(writer)
        return await withCheckedContinuation { continuation in
            DispatchQueue(label: "output").async {
                var all: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 4096)
                while case let count = read(reader, &buffer, buffer.count), count > 0 { all += buffer[..<count] }
                close(reader)
                continuation.resume(returning: String(decoding: all, as: UTF8.self))
            }
        }
    }
}

/// Connects and reads to the end; nil when nobody listens.
func greeting(from path: String) -> String? {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let connected = withUnsafePointer(to: address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    guard connected == 0 else { return nil }
    var buffer = [UInt8](repeating: 0, count: 256)
    var all: [UInt8] = []
    while case let count = read(descriptor, &buffer, buffer.count), count > 0 { all += buffer[..<count] }
    return String(decoding: all, as: UTF8.self)
}

extension ChildProcess.Launch {
    /// A shell command, with standard output into `output`.
    static func shell(_ command: String, output: Output? = nil) -> Self {
        var launch = Self(path: "/bin/sh")
        launch.arguments = ["-c", command]
        launch.environment = ["PATH": "/usr/bin:/bin"]
        launch.standardOutput = output?.writer
        return launch
    }
}
