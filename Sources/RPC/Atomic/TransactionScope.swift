internal import Contract
internal import Wire

/// The call that a transaction is on the wire, and the calls within it.
final class TransactionScope: Sendable {
    private let client: RPCClient
    private let ticket: Ticket
    private let stream: RPCStream<BeginTransaction>
    private let end: ContinuousClock.Instant

    init(
        client: RPCClient,
        _ begin: BeginTransaction,
        key: String?,
        traceparent: TraceParent?,
        end: ContinuousClock.Instant
    ) {
        self.client = client
        self.end = end
        ticket = Ticket()
        stream = client.stream(
            begin,
            deadline: ContinuousClock.now.duration(to: end),
            credit: 1,
            idempotencyKey: key,
            traceparent: traceparent,
            ticket: ticket
        )
    }

    /// How the transaction stands, once that is known.
    func standing() async throws(ServiceError) -> BeginTransaction.Item {
        guard let item = try await stream.next() else { throw .internal("A transaction ended before it began.") }
        return item
    }

    /// Calls an operation within the transaction.
    /// - Parameter deadline: how long to wait, where that is less than what remains of the transaction.
    /// - Throws: why the service ended the transaction, where it did.
    @discardableResult
    func call<O: Operation>(
        _ operation: O,
        deadline: Duration? = nil,
        isCancellable: Bool = true
    ) async throws(ServiceError) -> JSON {
        let remaining = ContinuousClock.now.duration(to: end)
        do throws(ServiceError) {
            return try await client.json(
                operation,
                deadline: deadline.map { min($0, remaining) } ?? remaining,
                within: ticket,
                isCancellable: isCancellable
            )
        } catch {
            throw stream.failure ?? error
        }
    }

    /// Waits until nothing of the transaction is left on this side.
    func leave() {
        stream.cancel()
    }
}
