internal import FoundationEssentials
public import Logging
public import NIOCore
public import ServiceLifecycle

/// Hands spans over, in batches, to a file or a collector. Nobody waits for it: what it cannot hand over in time is let go, and
/// counted.
public final class SpanExport: Service {
    /// How long a span waits for others, so that a batch is more than one.
    private static let linger = Duration.seconds(1)
    /// How long a batch may take.
    private static let patience = Duration.seconds(10)
    /// How long a stop may take for what is left. It comes out of the time the whole process has.
    private static let lastWords = Duration.seconds(2)

    private let queue: SpanQueue
    private let destination: any SpanDestination
    private let encoding: OTLPEncoding
    private let logger: Logger

    /// - Parameters:
    ///   - recorder: whose spans.
    ///   - service: the name of the process, as in `octavo-gateway`.
    ///   - group: where a collector is talked to.
    public init(
        _ recorder: SpanRecorder,
        to target: TraceTarget,
        service: String,
        version: String,
        group: any EventLoopGroup,
        logger: Logger
    ) {
        queue = recorder.queue
        destination =
            switch target {
            case .folder(let path): TraceFile(folder: path, name: service)
            case .socket, .http: Collector(target, group: group)
            }
        encoding = OTLPEncoding(service: service, version: version)
        self.logger = logger
    }

    /// Exports until the graceful shutdown, and then what is left.
    public func run() async {
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                if await exportAgainAndAgain() != .again(after: nil) { await exportWhatIsLeft() }
            } onGracefulShutdown: {
                self.queue.stop()
            }
        } onCancel: {
            queue.stop()
        }
        queue.dropAll()
    }

    /// Returns what became of the batch that the stop has found under way, if it has.
    private func exportAgainAndAgain() async -> SpanBuffer.Delivery? {
        var isAway = false
        while !queue.isStopping {
            await queue.wait(for: 1)
            await queue.wait(for: SpanBuffer.batch, atMost: Self.linger)
            guard !queue.isStopping else { return nil }
            let delivery = await export()
            let pause = queue.delivered(delivery)
            if queue.isStopping { return delivery }
            if (delivery != .taken) != isAway {
                isAway = delivery != .taken
                say(isAway)
            }
            // Nothing to do but to wait: a full buffer is no reason to ask sooner.
            if pause > .zero { await queue.wait(for: .max, atMost: pause) }
        }
        return nil
    }

    private func exportWhatIsLeft() async {
        let end = ContinuousClock.now + Self.lastWords
        while queue.counts.waiting > 0, !Task.isCancelled, ContinuousClock.now < end {
            let delivery = await destination.deliver(encoding.encode(queue.take()), until: end)
            _ = queue.delivered(delivery)
            // Whoever is away now is not there in a moment either.
            if case .again = delivery { return }
        }
    }

    private func export() async -> SpanBuffer.Delivery {
        let batch = queue.take()
        guard !batch.isEmpty else { return .taken }
        let text = encoding.encode(batch)
        return await withTaskGroup(of: SpanBuffer.Delivery.self) { [queue, destination] group in
            group.addTask { await destination.deliver(text, until: .now + Self.patience) }
            // A stop does not wait for all of that.
            group.addTask {
                await queue.wait(for: .max)
                try? await Task.sleep(for: Self.lastWords)
                return .again(after: nil)
            }
            let delivery = await group.next() ?? .again(after: nil)
            group.cancelAll()
            return delivery
        }
    }

    private func say(_ isAway: Bool) {
        let dropped = queue.counts.dropped
        if isAway {
            logger.warning("spans are not taken", metadata: ["by": "\(destination)", "dropped": "\(dropped)"])
        } else {
            logger.notice("spans are taken again", metadata: ["by": "\(destination)", "dropped": "\(dropped)"])
        }
    }
}

/// Where spans go.
protocol SpanDestination: Sendable, CustomStringConvertible {
    /// Hands a batch over: one request of OTLP as JSON, without a line end.
    func deliver(_ batch: ByteBuffer, until deadline: ContinuousClock.Instant) async -> SpanBuffer.Delivery
}
