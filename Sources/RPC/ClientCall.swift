internal import NIOCore
internal import Wire

/// A call on its way to the event loop.
struct Request: Sendable {
    /// Who waits for it.
    enum Waiter: Sendable {
        case answer(CheckedContinuation<Result<JSON, ServiceError>, Never>)
        case stream(StreamBuffer)
    }

    let operation: String
    let arguments: JSON
    let deadline: Duration
    let idempotencyKey: String?
    let traceparent: TraceParent?
    let ticket: Ticket
    /// The call whose scope it belongs to.
    var within: Ticket?
    let waiter: Waiter

    var streams: Bool {
        if case .stream = waiter { true } else { false }
    }

    func answer(_ outcome: Result<JSON, ServiceError>) {
        switch waiter {
        case .answer(let continuation): continuation.resume(returning: outcome)
        case .stream(let buffer): buffer.finish(outcome)
        }
    }
}

/// A call on the event loop: where it stands, and when its caller gives up.
final class ClientCall {
    enum Place {
        /// Not written yet.
        case waiting
        case inFlight(CallerEnd, CallID)
        /// Answered before it was written.
        case withdrawn
    }

    let request: Request
    let length: TimeAmount
    var place = Place.waiting
    var due: NIODeadline

    init(_ request: Request, now: NIODeadline) {
        self.request = request
        length = TimeAmount(min(request.deadline, .milliseconds(Limits.longestDeadlineMilliseconds)))
        due = now + length
    }

    /// The call as it is written, with what remains of its deadline. A stream's covers each item anew.
    func message(id: CallID, within: CallID?, credit: Int?, now: NIODeadline) -> Message {
        let remaining = credit == nil ? due - now : length
        return .call(
            Message.Call(
                id: id,
                operation: request.operation,
                within: within,
                arguments: request.arguments,
                deadlineMilliseconds: max(1, Int(remaining.nanoseconds / 1_000_000)),
                stream: credit,
                idempotencyKey: request.idempotencyKey,
                traceparent: request.traceparent
            )
        )
    }

    /// Whether the caller has waited long enough; a stream's deadline runs only while its reader waits for an item.
    func hasExpired(now: NIODeadline) -> Bool {
        if case .stream(let buffer) = request.waiter {
            due = (buffer.waitingSince ?? now) + length
        }
        return due <= now
    }
}
