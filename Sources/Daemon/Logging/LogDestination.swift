internal import Glibc
internal import Logging

/// Where the log of this process goes: to the journal as fields, or to standard error as lines.
enum LogDestination: Sendable, Equatable {
    case journal
    case terminal
    case lines

    /// The journal's own socket (systemd-journald.service(8)).
    static let journalSocket = "/run/systemd/journal/socket"

    /// - Parameter journalStream: `JOURNAL_STREAM`, the device and inode of the stream systemd connected. Children
    ///   inherit the variable even when their standard error is something else, hence the comparison (systemd.exec(5)).
    init(journalStream: String?, descriptor: Int32 = STDERR_FILENO) {
        var status = stat()
        if let journalStream, fstat(descriptor, &status) == 0, journalStream == "\(status.st_dev):\(status.st_ino)" {
            self = .journal
        } else {
            self = isatty(descriptor) == 1 ? .terminal : .lines
        }
    }

    /// Makes every `Logger` of the process write here. Once per process.
    func bootstrap(name: String, threshold: LogThreshold) {
        let journal = self == .journal ? JournalSocket(path: Self.journalSocket) : nil
        LoggingSystem.bootstrap(
            { [self] label, provider in
                if let journal {
                    JournalLogHandler(
                        label: label,
                        identifier: name,
                        threshold: threshold,
                        metadataProvider: provider,
                        socket: journal
                    )
                } else {
                    LineLogHandler(
                        label: label,
                        threshold: threshold,
                        metadataProvider: provider,
                        style: self == .terminal ? .terminal : .plain,
                        sink: .standardError
                    )
                }
            },
            metadataProvider: nil
        )
    }
}

/// Limits of one record, so that no value somebody else chose can flood the log or be dropped by journald whole.
enum LogLimit {
    /// Of a message, in bytes: a model's or Postgres's longest error fits many times.
    static let message = 16 * 1024
    /// Of one metadata value, in bytes.
    static let value = 4 * 1024
    /// Of metadata values in a record. With the two above a record stays below the 208 KiB a Unix datagram may have
    /// by default (net.core.wmem_default), which makes the memfd way of the journal's protocol unnecessary.
    static let fields = 32
}

extension LogEvent {
    /// The event's metadata over the handler's over the provider's, its error among them, sorted by key.
    func fields(
        _ own: Logger.Metadata,
        _ provider: Logger.MetadataProvider?
    ) -> [(key: String, value: String)] {
        var all = provider?.get() ?? [:]
        all.merge(own) { $1 }
        all.merge(metadata ?? [:]) { $1 }
        if let error { all["error"] = "\(error)" }
        return all.sorted { $0.key < $1.key }.prefix(LogLimit.fields).map {
            ($0.key, "\($0.value)".cut(toBytes: LogLimit.value))
        }
    }
}

extension String {
    /// At most `limit` bytes of UTF-8, cut between characters.
    func cut(toBytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(startIndex, offsetBy: limit)
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end]) + "…"
    }

    /// Nothing in the result can end the line or move a terminal's cursor, or turn the direction of the text: control
    /// characters (C0, DEL, C1), line and paragraph separators and the bidirectional controls are written `\n`, `\t`,
    /// `\r` or `\u{…}`.
    func escapedForLog(andQuotes: Bool = false) -> String {
        guard unicodeScalars.contains(where: { $0.isUnsafeInLog || andQuotes && ($0 == "\"" || $0 == "\\") }) else {
            return self
        }
        var escaped = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "\n": escaped += "\\n"
            case "\r": escaped += "\\r"
            case "\t": escaped += "\\t"
            case "\"" where andQuotes, "\\" where andQuotes:
                escaped += "\\"
                escaped.unicodeScalars.append(scalar)
            case _ where scalar.isUnsafeInLog: escaped += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

extension Unicode.Scalar {
    fileprivate var isUnsafeInLog: Bool {
        switch value {
        case 0..<0x20, 0x7F...0x9F, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069, 0x200E, 0x200F, 0x61C: true
        default: false
        }
    }
}
