/// One event of a `text/event-stream`.
public struct ServerSentEvent: Sendable, Hashable {
    /// The event's type; `nil` when the stream names none, which means `message`.
    public var event: String?
    /// The data lines, joined by line feeds.
    public var data: String
    /// The last id the stream gave, by this event or one before.
    public var id: String?

    /// An event.
    public init(event: String? = nil, data: String, id: String? = nil) {
        self.event = event
        self.data = data
        self.id = id
    }
}

/// Why a stream of events was given up.
public enum ServerSentEventError: Error, Sendable, Hashable {
    /// A line is longer than the parser allows.
    case lineTooLong(limit: Int)
    /// The data of one event are longer than the parser allows.
    case eventTooLong(limit: Int)
}

/// Reads `text/event-stream` ([WHATWG HTML, 9.2.6](https://html.spec.whatwg.org/multipage/server-sent-events.html)) from
/// bytes cut anywhere: the same bytes give the same events however they come.
///
/// Lines end in LF, CR or CRLF; a byte order mark at the start, comments, `retry` and unknown fields are skipped; bytes
/// that are not UTF-8 become U+FFFD. An event without data is none, as the specification has it.
public struct ServerSentEventParser: Sendable {
    /// The most bytes one line, and the data of one event, may have. One mebibyte holds any answer of a model in one piece,
    /// and a peer that never ends its line can take no more than that.
    public let limit: Int

    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    private var line: [UInt8] = []
    private var isFirstLine = true
    /// The byte before was a CR, so a LF now ends nothing.
    private var skipsLineFeed = false
    private var event: String?
    private var data: [UInt8] = []
    private var hasData = false
    private var id: String?

    /// A parser at the start of a stream.
    public init(limit: Int = 1024 * 1024) {
        self.limit = limit
    }

    /// The events that `bytes` complete.
    public mutating func parse(_ bytes: some Sequence<UInt8>) throws(ServerSentEventError) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        for byte in bytes {
            if skipsLineFeed {
                skipsLineFeed = false
                if byte == Self.lineFeed { continue }
            }
            guard byte == Self.lineFeed || byte == Self.carriageReturn else {
                guard line.count < limit else { throw .lineTooLong(limit: limit) }
                line.append(byte)
                continue
            }
            skipsLineFeed = byte == Self.carriageReturn
            if let event = try endLine() { events.append(event) }
        }
        return events
    }

    /// The event that the end of the stream cuts short, if there is one.
    ///
    /// The specification drops it. Some providers leave out the last empty line though, so who knows that the stream ended
    /// in good order may ask for it.
    public mutating func finish() throws(ServerSentEventError) -> ServerSentEvent? {
        if !line.isEmpty, let event = try endLine() { return event }
        return endEvent()
    }

    private mutating func endLine() throws(ServerSentEventError) -> ServerSentEvent? {
        defer {
            line.removeAll(keepingCapacity: true)
            isFirstLine = false
        }
        var content = line[...]
        if isFirstLine, content.starts(with: [0xEF, 0xBB, 0xBF]) { content = content.dropFirst(3) }
        guard !content.isEmpty else { return endEvent() }
        let colon = content.firstIndex(of: UInt8(ascii: ":")) ?? content.endIndex
        var value = content[colon...].dropFirst()
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        switch String(decoding: content[..<colon], as: UTF8.self) {
        case "data":
            guard data.count + value.count < limit else { throw .eventTooLong(limit: limit) }
            if hasData { data.append(Self.lineFeed) }
            data += value
            hasData = true
        case "event": event = String(decoding: value, as: UTF8.self)
        case "id" where !value.contains(0): id = String(decoding: value, as: UTF8.self)
        default: break
        }
        return nil
    }

    private mutating func endEvent() -> ServerSentEvent? {
        defer {
            event = nil
            data.removeAll(keepingCapacity: true)
            hasData = false
        }
        guard hasData else { return nil }
        return ServerSentEvent(
            event: event?.isEmpty == true ? nil : event,
            data: String(decoding: data, as: UTF8.self),
            id: id
        )
    }
}
