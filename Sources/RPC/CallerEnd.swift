internal import Logging
internal import NIOCore
internal import Wire

/// The caller's end of a connection: the pure machine, and the calls in flight.
final class CallerEnd: ConnectionEnd {
    /// What the exchange must know of its connection.
    enum Event {
        /// The service has introduced itself.
        case opened
        /// It stops; these calls were not started.
        case leaving(notStarted: [ClientCall], isAsleep: Bool)
        /// The connection is gone, and nobody knows what became of these calls.
        case closed(reason: ServiceError?, lost: [ClientCall])
        /// There may be room for another call.
        case room
    }

    private var machine: CallerMachine
    private var calls: [CallID: ClientCall] = [:]
    private var link: Link?
    private var farewell: ServiceError?
    private let logger: Logger
    // Held strongly; the exchange forgets this end when it is closed, which it is before the client ends.
    private let exchange: Exchange
    /// Whether the service has ever introduced itself on this connection.
    private(set) var hasBeenOpen = false
    let nextDue: NIODeadline? = nil
    let pausesReading = false
    let frameLimit: Int

    init(exchange: Exchange, introduction: Message.Hello, limits: Limits, logger: Logger) {
        self.exchange = exchange
        self.logger = logger
        frameLimit = limits.frameBytes
        machine = CallerMachine(introduction: introduction)
    }

    func hasRoom(for call: ClientCall) -> Bool {
        machine.hasRoom(forStream: call.request.streams) && link?.isWritable == true
    }

    func hasRoom(within scope: CallID) -> Bool {
        machine.hasRoom(within: scope) && link?.isWritable == true
    }

    /// Writes the call, for which there is room. When it does not fit into a frame nothing is written, and that is returned.
    func start(_ call: ClientCall, within scope: CallID? = nil, now: NIODeadline) -> FrameEncoder.TooLarge? {
        let credit: Int? =
            if case .stream(let buffer) = call.request.waiter { buffer.open(accepted: machine.accepted.credit) } else {
                nil
            }
        let id = machine.start(stream: credit, within: scope)
        do throws(FrameEncoder.TooLarge) {
            try link?.send(call.message(id: id, within: scope, credit: credit, now: now))
        } catch {
            machine.neverSent(id)
            return error
        }
        calls[id] = call
        call.place = .inFlight(self, id)
        return nil
    }

    func abandon(_ id: CallID, reason: String) {
        calls[id] = nil
        if let cancel = machine.abandon(id, reason: reason) { link?.say(cancel) }
    }

    func grant(_ items: Int, to id: CallID) {
        if let credit = machine.grant(items, to: id) { link?.say(credit) }
    }

    func close(reason: String) {
        link?.close(reason: reason)
    }

    func opened(_ link: Link) {
        self.link = link
        link.say(machine.greeting)
    }

    func received(_ message: Message) throws(ProtocolViolation) {
        switch try machine.receive(message) {
        case .nothing: break
        case .send(let answer): link?.say(answer)
        case .opened(let hello):
            link?.greeted(peerAccepts: hello.limits.frameBytes)
            hasBeenOpen = true
            exchange.happened(.opened, at: self)
        case .answered(let id, let outcome):
            if let call = calls.removeValue(forKey: id) { exchange.finish(call, outcome) }
        case .item(let id, let item):
            if let call = calls[id], case .stream(let buffer) = call.request.waiter { buffer.append(item) }
        case .leaving(let ids):
            let notStarted = ids.compactMap { calls.removeValue(forKey: $0) }
            let isAsleep = if case .goaway(let goaway) = message { goaway.reason == Message.Goaway.idle } else { false }
            exchange.happened(.leaving(notStarted: notStarted, isAsleep: isAsleep), at: self)
        case .closing(let error):
            farewell = error
            link?.close(reason: "the service said \(error.code.rawValue)")
        }
        if machine.mayClose { link?.close(reason: "the service went away") }
        exchange.happened(.room, at: self)
    }

    func violated(_ violation: ProtocolViolation) {
        logger.error(
            "A service broke the protocol",
            metadata: ["reason": "\(violation.reason.rawValue)", "detail": "\(violation.detail)"]
        )
        farewell = violation.error
        link?.close(reason: violation.reason.rawValue)
    }

    func inputEnded() {
        link?.close(reason: "the service closed it")
    }

    func writable() {
        exchange.happened(.room, at: self)
    }

    func tick(now: NIODeadline) {}

    func closed(reason: String) {
        link = nil
        let lost = machine.lost().compactMap { calls.removeValue(forKey: $0) }
        calls = [:]
        exchange.happened(.closed(reason: farewell, lost: lost), at: self)
    }
}
