import Agents
import Daemon
import Glibc
import NIOCore
import NIOPosix

/// A server that is a program of this machine, spoken with over its standard input and output: a message a line.
///
/// It lives as long as `body`. Its environment holds nothing of ours; its standard error goes where ours goes.
enum MCPProcess {
    /// Octets of one message.
    static let mostBytes = 1 << 20

    private typealias Lines = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    static func run<Result: Sendable>(
        _ command: [String],
        timeout: Duration,
        _ body: @Sendable (any MCPTransport) async throws -> Result
    ) async throws -> Result {
        let (child, input, output) = try start(command)
        // Its input ending is the sign to end; who does not heed it is ended.
        defer { child.kill() }
        let channel: Lines = try await NIOPipeBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .takingOwnershipOfDescriptors(input: output, output: input) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        ByteToMessageHandler(LineDecoder(), maximumBufferSize: mostBytes)
                    )
                    return try Lines(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            let conversation = MCPConversation(timeout: timeout) { line in
                try await outbound.write(ByteBuffer(string: line + "\n"))
            }
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    do {
                        for try await line in inbound { try await conversation.receive(String(buffer: line)) }
                    } catch {}
                    conversation.end()
                }
                defer { group.cancelAll() }
                return try await body(conversation)
            }
        }
    }

    private static func start(_ command: [String]) throws -> (ChildProcess, input: CInt, output: CInt) {
        guard let path = command.first else { throw MCPError("it has no program") }
        let toChild = try pipe()
        let fromChild: (reading: CInt, writing: CInt)
        do {
            fromChild = try pipe()
        } catch {
            close(toChild.reading)
            close(toChild.writing)
            throw error
        }
        defer {
            close(toChild.reading)
            close(fromChild.writing)
        }
        var launch = ChildProcess.Launch(path: path)
        launch.arguments = Array(command.dropFirst())
        launch.environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"]
        launch.standardInput = toChild.reading
        launch.standardOutput = fromChild.writing
        do {
            return (try ChildProcess(launch), toChild.writing, fromChild.reading)
        } catch {
            close(toChild.writing)
            close(fromChild.reading)
            throw MCPError("\(error)")
        }
    }

    private static func pipe() throws(MCPError) -> (reading: CInt, writing: CInt) {
        var ends: [CInt] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw MCPError("no pipe could be had") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private struct LineDecoder: NIOSingleStepByteToMessageDecoder {
        typealias InboundOut = ByteBuffer

        mutating func decode(buffer: inout ByteBuffer) throws -> ByteBuffer? {
            guard let end = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            let line = buffer.readSlice(length: end - buffer.readerIndex)
            buffer.moveReaderIndex(forwardBy: 1)
            return line
        }

        /// What is no whole line at the end is no message.
        mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> ByteBuffer? {
            try decode(buffer: &buffer)
        }
    }
}
