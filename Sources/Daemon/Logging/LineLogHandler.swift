internal import Glibc
internal import Logging
internal import Synchronization

/// One record, one line. Plain: `level logger: message key=value`. On a terminal with the time and with colour.
struct LineLogHandler: LogHandler {
    enum Style: Sendable {
        case plain
        case terminal
    }

    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level {
        get { own ?? threshold.level }
        set { own = newValue }
    }
    var metadataProvider: Logger.MetadataProvider?

    private let threshold: LogThreshold
    /// Of a logger that was given a level of its own.
    private var own: Logger.Level?
    private let label: String
    private let style: Style
    private let sink: LineSink

    init(
        label: String,
        threshold: LogThreshold,
        metadataProvider: Logger.MetadataProvider?,
        style: Style,
        sink: LineSink
    ) {
        self.label = label
        self.threshold = threshold
        self.metadataProvider = metadataProvider
        self.style = style
        self.sink = sink
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = event.fields(metadata, metadataProvider).map { field in
            let key = field.key.escapedForLog(andQuotes: true).filter { $0 != " " && $0 != "=" }
            return " \(dim)\(key)=\(plain)\(Self.quoted(field.value))"
        }
        let message = event.message.description.cut(toBytes: LogLimit.message).escapedForLog()
        sink.write("\(head(event.level))\(label.escapedForLog()): \(message)\(fields.joined())\n")
    }

    /// Quoted when a reader, or a program, could not tell where the value ends.
    private static func quoted(_ value: String) -> String {
        let needsQuotes = value.isEmpty || value.unicodeScalars.contains { $0 == " " || $0 == "=" || $0 == "\"" }
        return needsQuotes ? "\"\(value.escapedForLog(andQuotes: true))\"" : value.escapedForLog()
    }

    private var dim: String { style == .terminal ? "\u{1B}[2m" : "" }
    private var plain: String { style == .terminal ? "\u{1B}[0m" : "" }

    private func head(_ level: Logger.Level) -> String {
        guard style == .terminal else { return "\(level) " }
        let colour =
            switch level {
            case .trace, .debug: "2"
            case .info: "32"
            case .notice: "36"
            case .warning: "33"
            case .error, .critical: "1;31"
            }
        let name = level.rawValue
        let padding = String(repeating: " ", count: max(0, 8 - name.count))
        return "\(dim)\(Self.timeOfDay())\(plain) \u{1B}[\(colour)m\(name)\(plain)\(padding) "
    }

    private static func timeOfDay() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var local = tm()
        localtime_r(&now.tv_sec, &local)
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let milliseconds = String(1000 + now.tv_nsec / 1_000_000).dropFirst()
        return "\(two(local.tm_hour)):\(two(local.tm_min)):\(two(local.tm_sec)).\(milliseconds)"
    }
}

/// Writes whole lines to a descriptor it does not own.
final class LineSink: Sendable {
    static let standardError = LineSink(descriptor: STDERR_FILENO)

    /// Held while writing: a pipe takes 4096 bytes (PIPE_BUF) in one piece and may mix what is longer.
    private let descriptor: Mutex<Int32>

    init(descriptor: Int32) {
        self.descriptor = Mutex(descriptor)
    }

    /// What cannot be written is lost: there is nowhere to report it to.
    func write(_ line: String) {
        var line = line
        descriptor.withLock { descriptor in
            line.withUTF8 { bytes in
                var rest = UnsafeRawBufferPointer(bytes)
                while !rest.isEmpty {
                    let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
                    if written < 0 && errno == EINTR { continue }
                    guard written > 0 else { return }
                    rest = UnsafeRawBufferPointer(rebasing: rest[written...])
                }
            }
        }
    }
}
