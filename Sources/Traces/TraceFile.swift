internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// A file of JSON lines, each a request of OTLP, as the collector's receiver `otlpjsonfile` reads them. When it is large it gets
/// a number, and the oldest one goes.
final class TraceFile: SpanDestination {
    /// 64 MiB in all are some fifty thousand spans, the last day of a house or the last minutes of a load test.
    static let mostBytes = 16 << 20
    static let files = 4

    private let folder: String
    private let name: String
    private let mostBytes: Int
    /// One write at a time, also when one hangs and the next is due.
    private let turn = Mutex(())

    init(folder: String, name: String, mostBytes: Int = TraceFile.mostBytes) {
        self.folder = folder
        self.name = name
        self.mostBytes = mostBytes
    }

    var description: String { "the file \(path(0))" }

    func deliver(_ batch: ByteBuffer, until deadline: ContinuousClock.Instant) async -> SpanBuffer.Delivery {
        // A disk may take its time, or a network's disk all of it: not on a thread that others need.
        let isWritten = try? await NIOThreadPool.singleton.runIfActive { self.write(batch) }
        return isWritten == true ? .taken : .again(after: nil)
    }

    /// The current file is 0, and the oldest has the highest number.
    private func path(_ number: Int) -> String {
        "\(folder)/\(name)\(number == 0 ? "" : ".\(number)").jsonl"
    }

    /// Whole, or not at all.
    func write(_ batch: ByteBuffer) -> Bool {
        turn.withLock { _ in
            // The folder may be new, or somebody has cleaned up.
            mkdir(folder, 0o750)
            var file = open()
            guard file >= 0 else { return false }
            defer { close(file) }
            var size = lseek(file, 0, SEEK_END)
            if size > 0, Int(size) + batch.readableBytes > mostBytes {
                close(file)
                rotate()
                file = open()
                guard file >= 0 else { return false }
                size = 0
            }
            var line = batch
            line.writeString("\n")
            let isWritten = Self.write(line, to: file)
            // Half a line would make one of it and the next.
            if !isWritten { ftruncate(file, size) }
            return isWritten
        }
    }

    /// A file of others under this name is not followed. Readable for the group, whatever the process usually does.
    private func open() -> CInt {
        let file = Glibc.open(path(0), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o640)
        if file >= 0 { fchmod(file, 0o640) }
        return file
    }

    private func rotate() {
        for number in (1..<Self.files).reversed() { rename(path(number - 1), path(number)) }
    }

    private static func write(_ line: ByteBuffer, to file: CInt) -> Bool {
        line.withUnsafeReadableBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }
}
