internal import Logging

/// One record, one datagram of fields in the journal's native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL):
/// `journalctl TRACE_ID=…` then finds it by an index, and no value can be taken for another field.
struct JournalLogHandler: LogHandler {
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
    private let identifier: String
    private let socket: JournalSocket

    init(
        label: String,
        identifier: String,
        threshold: LogThreshold,
        metadataProvider: Logger.MetadataProvider?,
        socket: JournalSocket
    ) {
        self.label = label
        self.identifier = identifier
        self.threshold = threshold
        self.metadataProvider = metadataProvider
        self.socket = socket
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var record = JournalRecord()
        record.append("MESSAGE", event.message.description.cut(toBytes: LogLimit.message))
        record.append("PRIORITY", "\(event.level.priority)")
        record.append("SYSLOG_IDENTIFIER", identifier)
        record.append("LOGGER", label)
        for (key, value) in event.fields(metadata, metadataProvider) {
            record.append(JournalRecord.fieldName(key), value)
        }
        socket.send(record)
    }
}

/// The bytes of one record.
struct JournalRecord: Sendable {
    private(set) var bytes: [UInt8] = []

    /// Fields the handler writes itself; a second MESSAGE out of metadata would be a forged one.
    private static let ours: Set<String> = ["MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "LOGGER", "DROPPED_RECORDS"]

    /// journald drops fields that are not of `A-Z`, `0-9` and `_`, begin with a digit or `_` (trusted fields are its
    /// own), or are longer than 64: `run_id`, `run-id` and `run.id` all become `RUN_ID`.
    static func fieldName(_ key: String) -> String {
        let upper = key.uppercased().unicodeScalars.map { scalar -> Character in
            ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar) ? Character(scalar) : "_"
        }
        let name = String(upper.drop { $0 == "_" }.prefix(58))
        let isTaken = ours.contains(name) || name.first.map(\.isNumber) ?? true
        return isTaken ? "FIELD_" + name : name
    }

    /// `KEY=value`, or with a newline in the value: `KEY`, newline, length as 64 bits little-endian, value.
    mutating func append(_ name: String, _ value: String) {
        let value = Array(value.utf8)
        bytes += Array(name.utf8)
        if value.contains(UInt8(ascii: "\n")) {
            bytes.append(UInt8(ascii: "\n"))
            withUnsafeBytes(of: UInt64(value.count).littleEndian) { bytes += $0 }
        } else {
            bytes.append(UInt8(ascii: "="))
        }
        bytes += value
        bytes.append(UInt8(ascii: "\n"))
    }
}

extension Logger.Level {
    /// The levels of syslog(3): 7 debug, 6 info, 5 notice, 4 warning, 3 error, 2 critical.
    fileprivate var priority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
