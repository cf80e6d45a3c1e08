import FoundationEssentials
import NIOCore

/// Reads the body of a Chat Completions answer, a stream of events or one JSON object: the first byte tells which, because
/// providers that do not stream although asked say so in their headers only sometimes.
struct ChatDecoder: AnswerDecoder {
    private enum Form {
        /// Nothing but white space so far, which is kept: the same bytes must mean the same however they are cut.
        case unknown([UInt8])
        case object(Data)
        case events(ServerSentEventParser)
    }

    private var form = Form.unknown([])
    private var assembler: ChatAssembler
    private let secret: Secret?
    private(set) var isComplete = false
    var hasFinished: Bool { assembler.hasFinished }

    /// - Parameter conversation: How many messages the request had.
    init(conversation: Int, secret: Secret?) {
        self.assembler = ChatAssembler(conversation: conversation)
        self.secret = secret
    }

    /// Each case lets go of what the form holds before it adds to it: two references would mean a copy of all that came
    /// before, for each piece that comes.
    mutating func receive(_ bytes: ByteBufferView) throws -> [ModelEvent] {
        switch form {
        case .unknown(var begun):
            guard let first = bytes.first(where: { !Self.isSkipped($0) }) else {
                form = .unknown([])
                begun += bytes
                form = .unknown(begun)
                return []
            }
            form = first == UInt8(ascii: "{") ? .object(Data()) : .events(ServerSentEventParser())
            return try receive(ByteBufferView(begun)) + receive(bytes)
        case .object(var data):
            form = .unknown([])
            data.append(contentsOf: bytes)
            form = .object(data)
            return []
        case .events(var parser):
            form = .unknown([])
            let events: [ServerSentEvent]
            do { events = try parser.parse(bytes) } catch { throw ProviderFailure.invalid("an event is too long") }
            form = .events(parser)
            return try events.flatMap { try read($0) }
        }
    }

    mutating func end(isWhole: Bool) throws -> [ModelEvent] {
        guard !isComplete else { return [] }
        var events: [ModelEvent] = []
        switch form {
        case .unknown: break
        case .object(let data):
            guard isWhole || (try? decode(data)) != nil else { throw ProviderFailure.brokenOff }
            events = try assembler.add(try decode(data), secret: secret)
        case .events(var parser):
            // Half an event that a broken connection left is no event.
            if isWhole, let last = try? parser.finish() { events = try read(last) }
            guard !isComplete else { return events }
            guard isWhole || hasFinished else { throw ProviderFailure.brokenOff }
        }
        guard assembler.hasBegun else { throw ProviderFailure.invalid("there is none in it") }
        return try events + complete()
    }

    private mutating func read(_ event: ServerSentEvent) throws -> [ModelEvent] {
        guard !isComplete, !event.data.isEmpty else { return [] }
        guard !event.data.hasPrefix("[DONE]") else {
            guard assembler.hasBegun else { throw ProviderFailure.invalid("there is none in it") }
            return try complete()
        }
        let data = Data(event.data.utf8)
        if event.event == "error", let complaint = try? JSONDecoder().decode(ProviderComplaint.self, from: data) {
            throw ProviderFailure(complaint: complaint, secret: secret)
        }
        return try assembler.add(try decode(data), secret: secret)
    }

    private mutating func complete() throws -> [ModelEvent] {
        isComplete = true
        return try assembler.finish()
    }

    private func decode(_ data: Data) throws -> ChatChunk {
        do {
            return try JSONDecoder().decode(ChatChunk.self, from: data)
        } catch {
            throw ProviderFailure.invalid("it is not the JSON of a chat completion")
        }
    }

    /// White space, and the bytes of a byte order mark.
    private static func isSkipped(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x09, 0x0A, 0x0D, 0x20, 0xEF, 0xBB, 0xBF: true
        default: false
        }
    }
}
