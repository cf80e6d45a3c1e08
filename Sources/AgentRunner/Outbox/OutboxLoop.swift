import Contract
import Logging
import RPC
import ServiceLifecycle
import Synchronization
import Traces
import Tracing
import Wire

/// Sends what storage has to say to the outside, one message of each destination at a time. Storage decides what is sent, when and
/// how often; here it is sent once, and told how it fared.
final class OutboxLoop: Service {
    /// How long storage may be away before an outcome is let go: by then the message counts as unknown.
    private static let patience = Duration.seconds(30)

    private struct State {
        var sender: WebhookSender
        var holding: Set<Int> = []
        var sent = 0
    }

    private let runner: String
    private let storage: RPCClient
    private let drain: Drain
    private let recorder: SpanRecorder?
    private let logger: Logger
    private let state: Mutex<State>
    private let messages: AsyncStream<ClaimMessages.Item>
    private let claimed: AsyncStream<ClaimMessages.Item>.Continuation

    init(
        runner: String,
        storage: RPCClient,
        sender: WebhookSender,
        drain: Drain,
        recorder: SpanRecorder? = nil,
        logger: Logger
    ) {
        self.runner = runner
        self.storage = storage
        self.drain = drain
        self.recorder = recorder
        self.logger = logger
        state = Mutex(State(sender: sender))
        // Bounded by the destinations, of which storage has a hundred.
        (messages, claimed) = AsyncStream.makeStream()
    }

    /// What is on its way.
    var count: Int { state.withLock { $0.holding.count } }

    /// What there ever was.
    var accepted: Int { state.withLock { $0.sent } }

    /// What administrators may ask of it.
    func add(to operations: inout Operations) {
        operations.on(CheckWebhook.self) { check, _ in
            let sender = self.state.withLock { $0.sender }
            return CheckWebhook.Result(problems: await sender.problems(of: check.webhook))
        }
    }

    /// Messages are sent by this one from now on.
    func use(_ sender: WebhookSender) {
        state.withLock { $0.sender = sender }
    }

    func run() async throws {
        await withDiscardingTaskGroup { group in
            group.addTask {
                await cancelWhenGracefulShutdown { await self.claim() }
                self.claimed.finish()
            }
            // A stop waits for what is on its way: no longer than a receiver may take.
            for await message in messages { group.addTask { await self.send(message) } }
        }
    }

    private func claim() async {
        while !Task.isCancelled {
            do {
                guard !drain.isOn else {
                    try await Task.sleep(for: .milliseconds(500))
                    continue
                }
                let claim = ClaimMessages(runner: runner, holding: state.withLock { Array($0.holding) })
                for try await message in storage.stream(claim, deadline: .seconds(600)).items {
                    state.withLock { state in
                        state.holding.insert(message.message)
                        state.sent += 1
                    }
                    claimed.yield(message)
                }
            } catch {
                logger.debug("outbox waits", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .milliseconds(Int.random(in: 100...500)))
            }
        }
    }

    private func send(_ message: ClaimMessages.Item) async {
        guard let recorder else { return await sendAndSettle(message) }
        let span = recorder.start("deliver", .consumer, within: message.traceparent.flatMap { TraceParent($0) })
        span.attributes["octavo.outbox.destination"] = message.destination
        span.attributes["octavo.outbox.attempt"] = message.attempt
        await ServiceContext.withValue(span.context) { await sendAndSettle(message) }
        span.end()
    }

    private func sendAndSettle(_ message: ClaimMessages.Item) async {
        let verdict = await state.withLock { $0.sender }.send(message, recorder: recorder)
        let settle = SettleMessage(
            message: message.message,
            runner: runner,
            attempt: message.attempt,
            verdict: verdict.verdict,
            status: verdict.status,
            error: verdict.error,
            afterMilliseconds: verdict.afterSeconds.map { min($0, SettleMessage.longestMilliseconds / 1_000) * 1_000 }
        )
        var metadata: Logger.Metadata = ["message": "\(message.message)", "destination": "\(message.destination)"]
        do {
            try await Patience.repeating(for: Self.patience) { _ = try await storage.perform(settle) }
        } catch {
            metadata["error"] = "\(error)"
            logger.warning("outcome not stored", metadata: metadata)
        }
        state.withLock { _ = $0.holding.remove(message.message) }
        guard let error = verdict.error else { return }
        metadata["reason"] = "\(error)"
        metadata["attempt"] = "\(message.attempt)"
        logger.notice("message not taken", metadata: metadata)
    }
}
