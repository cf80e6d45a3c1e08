internal import Glibc
internal import NIOCore
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
    /// One write at a time: behind one that hangs, the next would only hang as well.
    private let isWriting = Atomic(false)

    init(folder: String, name: String, mostBytes: Int = TraceFile.mostBytes) {
        self.folder = folder
        self.name = name
        self.mostBytes = mostBytes
    }

    var description: String { "the file \(path(0))" }

    /// A disk may take its time, and a network's disk that has gone away all of it: no call on it can be called off. So each batch
    /// is written on a thread of its own, which is left behind at the deadline. It keeps no stop waiting: nobody joins it, and it is
    /// gone with the process. What it does write afterwards it takes back, since the spans are handed over once more by then.
    func deliver(_ batch: ByteBuffer, until deadline: ContinuousClock.Instant) async -> SpanBuffer.Delivery {
        guard !isWriting.exchange(true, ordering: .acquiring) else { return .again(after: nil) }
        let attempt = WriteAttempt()
        let isStarted = startThread {
            self.write(batch, attempt)
            self.isWriting.store(false, ordering: .releasing)
            // Not before: whoever waits for this one has the next.
            attempt.end()
        }
        if !isStarted {
            isWriting.store(false, ordering: .releasing)
            return .again(after: nil)
        }
        return await attempt.delivery(until: deadline)
    }

    /// The current file is 0, and the oldest has the highest number.
    private func path(_ number: Int) -> String {
        "\(folder)/\(name)\(number == 0 ? "" : ".\(number)").jsonl"
    }

    /// Whole, or not at all; and not at all where it was given up meanwhile.
    func write(_ batch: ByteBuffer, _ attempt: WriteAttempt) {
        // The folder may be new, or somebody has cleaned up.
        mkdir(folder, 0o750)
        var file = open()
        guard file >= 0 else { return }
        defer { close(file) }
        var size = lseek(file, 0, SEEK_END)
        if size > 0, Int(size) + batch.readableBytes > mostBytes {
            close(file)
            rotate()
            file = open()
            guard file >= 0 else { return }
            size = 0
        }
        guard !attempt.isOver else { return }
        var line = batch
        line.writeString("\n")
        // Half a line would make one of it and the next.
        if !Self.write(line, to: file) || !attempt.succeed() { ftruncate(file, size) }
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
