/// Something to wait for, once opened open for ever.
struct Gate: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream<Void>.makeStream()
    }

    func open() {
        continuation.finish()
    }

    /// Returns when the gate is open, or the task cancelled.
    func wait() async {
        for await _ in stream {}
    }

    /// Returns when the gate is open and not before, as code does that knows nothing of cancellation.
    func waitWhateverHappens() async {
        await Task { await wait() }.value
    }
}
