internal import NIOCore
internal import Synchronization
public import Wire

/// Where a streaming handler puts its items.
public struct ItemWriter<Item: Encodable & Sendable>: Sendable {
    let sink: ItemSink

    /// Sends an item; waits while the reader has given no credit, or does not read.
    /// - Throws: `CancellationError` when the call is over (cancelled, past its deadline, the connection gone);
    ///   `ServiceError` when the item does not fit into a frame.
    public func send(_ item: Item) async throws {
        try await sink.send(JSON(encoding: item))
    }

    /// Sends an item that is JSON already, such as Postgres' text; only its size is checked.
    /// - Throws: as `send(_:)`.
    public func send(json item: JSON) async throws {
        try await sink.send(item)
    }
}

/// The erased half of an `ItemWriter`: hops to the connection's event loop, where credit is counted.
struct ItemSink: Sendable {
    let call: CallID
    let end: NIOLoopBound<ServiceEnd>
    let loop: any EventLoop

    func send(_ item: JSON) async throws {
        let ticket = Ticket()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let waiting = WaitingItem(item: item, ticket: ticket, continuation: continuation)
                loop.execute { end.value.enqueue(waiting, of: call) }
            }
        } onCancel: {
            ticket.withdraw()
            loop.execute { end.value.withdraw(ticket, of: call) }
        }
    }
}

/// An item that waits for credit.
struct WaitingItem: Sendable {
    let item: JSON
    let ticket: Ticket
    let continuation: CheckedContinuation<Void, any Error>
}

/// Names something that is on its way to an event loop. Cancelling may overtake it: then it is found withdrawn when it
/// arrives.
final class Ticket: Sendable {
    private let flag = Atomic(false)
    var isWithdrawn: Bool { flag.load(ordering: .acquiring) }
    func withdraw() { flag.store(true, ordering: .releasing) }
}
