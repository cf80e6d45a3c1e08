import FoundationEssentials
import NIOCore

/// Makes sense of the body of one kind of answer. Pure: bytes in, events out.
protocol AnswerDecoder: SendableMetatype {
    associatedtype Event: Sendable

    /// The events that `bytes` complete. Throws ``ProviderFailure``.
    mutating func receive(_ bytes: ByteBufferView) throws -> [Event]
    /// The last events, when the body ended. `isWhole` says whether HTTP vouches that nothing is missing.
    mutating func end(isWhole: Bool) throws -> [Event]
    /// Whether all events were given: nothing that follows matters.
    var isComplete: Bool { get }
    /// Whether the model has finished, so that a connection breaking now took nothing with it that is needed.
    var hasFinished: Bool { get }
    /// Whether somebody may have acted upon this event, so that the request cannot be made again.
    static func isFinal(_ event: Event) -> Bool
}

/// Puts an answer of one API together, from the events it is streamed in or from the object it is when it is not. Pure.
protocol AnswerAssembler: SendableMetatype {
    /// What one streamed event says. Throws ``ProviderFailure``, also for an error the provider streams.
    mutating func add(_ event: ServerSentEvent) throws -> [ModelEvent]
    /// What an answer says that was not streamed.
    mutating func add(whole data: Data) throws -> [ModelEvent]
    /// Everything that had to wait for the end.
    mutating func finish() throws -> [ModelEvent]
    /// Whether there was anything of an answer.
    var hasBegun: Bool { get }
    /// Whether the model said why it stopped.
    var hasFinished: Bool { get }
    /// Whether the event came after which there is none.
    var isLast: Bool { get }
}

/// Reads the body of an answer, a stream of events or one JSON object: the first byte tells which, because providers that do
/// not stream although asked say so in their headers only sometimes.
struct BodyDecoder<Assembler: AnswerAssembler>: AnswerDecoder {
    private enum Form {
        /// Nothing but white space so far, which is kept: the same bytes must mean the same however they are cut.
        case unknown([UInt8])
        case object(Data)
        case events(ServerSentEventParser)
    }

    private var form = Form.unknown([])
    private var assembler: Assembler
    private(set) var isComplete = false
    var hasFinished: Bool { assembler.hasFinished }

    init(_ assembler: Assembler) {
        self.assembler = assembler
    }

    /// What was thought aloud and what was paid can be followed by another answer; what was said cannot.
    static func isFinal(_ event: ModelEvent) -> Bool {
        switch event {
        case .model, .thinking: false
        case .text, .thought, .toolCall, .usage, .finish: true
        }
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
            do {
                events = try assembler.add(whole: data)
            } catch let failure as ProviderFailure where !isWhole && failure.error.code == .invalidAnswer {
                throw ProviderFailure.brokenOff
            }
        case .events(var parser):
            // Half an event that a broken connection left is no event.
            if isWhole, let last = try? parser.finish() { events = try read(last) }
            guard !isComplete else { return events }
            guard isWhole || hasFinished else { throw ProviderFailure.brokenOff }
        }
        return try events + complete()
    }

    private mutating func read(_ event: ServerSentEvent) throws -> [ModelEvent] {
        guard !isComplete, !event.data.isEmpty else { return [] }
        guard !event.data.hasPrefix("[DONE]") else { return try complete() }
        let events = try assembler.add(event)
        return assembler.isLast ? try events + complete() : events
    }

    private mutating func complete() throws -> [ModelEvent] {
        guard assembler.hasBegun else {
            throw ProviderFailure.invalid(
                "there is none in it, as from some servers where the input is longer than the model takes"
            )
        }
        isComplete = true
        return try assembler.finish()
    }

    /// White space, and the bytes of a byte order mark.
    private static func isSkipped(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x09, 0x0A, 0x0D, 0x20, 0xEF, 0xBB, 0xBF: true
        default: false
        }
    }
}

extension ProviderFailure {
    static func invalid(_ what: String) -> ProviderFailure {
        ProviderFailure(AgentError(.invalidAnswer, "The provider's answer cannot be used: \(what)."), mayRetry: false)
    }

    /// Decodes a piece of an answer; throws ``invalid(_:)``.
    static func decoding<Value: Decodable>(_ type: Value.Type, _ data: Data, of what: String) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch {
            throw ProviderFailure.invalid("it is not the JSON of \(what)")
        }
    }
}
