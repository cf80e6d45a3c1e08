import Contract
import RPC
import Wire

/// Brings a run's events in order, each once, whatever restarts on the way.
///
/// Live events come from the agent runner. When it is lost the run goes on elsewhere, and its events come from storage;
/// when a retry is due before anything was stored, the same run id makes it the same run.
struct RunFollower: Sendable {
    /// How long a service may be away before the reader is told: by then systemd has restarted it, or cannot. Longer when
    /// the question is stored, for then it is carried out.
    static let patience = (beforeStored: Duration.seconds(8), stored: Duration.seconds(30))

    /// How long a model may be silent: the longest wait the protocol knows.
    private static let longest = Duration.seconds(600)

    let runner: LongCalls
    let storage: LongCalls

    /// Starts a run and follows it to its end.
    func start(_ start: StartRun, trace: TraceParent, emit: @Sendable (JSON) async throws -> Void) async throws {
        var last = 0
        var isStored = false
        var patience = Patience(Self.patience.beforeStored)
        while true {
            let before = last
            do {
                if isStored {
                    try await follow(
                        storage.client(for: start.run).stream(
                            FollowRun(run: start.run, after: last),
                            deadline: Self.longest,
                            traceparent: trace
                        ),
                        &last,
                        emit
                    )
                } else {
                    try await follow(
                        runner.client(for: start.run).stream(start, deadline: Self.longest, traceparent: trace),
                        &last,
                        emit
                    )
                }
                return
            } catch let error as ServiceError {
                if last > max(1, before) { patience = Patience(Self.patience.stored) }
                if error.code == .notFound, isStored {
                    // Nothing was stored: the question was lost with its runner, and is asked again under the same id.
                    isStored = false
                    continue
                }
                try await patience.wait(after: error)
                // Told, and perhaps stored: storage knows.
                if error.code == .aborted || last > 0 { isStored = true }
            }
        }
    }

    /// Follows a stored run from behind an event.
    func follow(_ run: RunID, after: Int, emit: @Sendable (JSON) async throws -> Void) async throws {
        var last = after
        var patience = Patience(Self.patience.stored)
        while true {
            let before = last
            do {
                try await follow(
                    storage.client(for: run).stream(FollowRun(run: run, after: last), deadline: Self.longest),
                    &last,
                    emit
                )
                return
            } catch let error as ServiceError {
                if last > before { patience.succeeded() }
                try await patience.wait(after: error)
            }
        }
    }

    private func follow<O: StreamingOperation>(
        _ stream: RPCStream<O>,
        _ last: inout Int,
        _ emit: @Sendable (JSON) async throws -> Void
    ) async throws {
        for try await event in stream.json {
            guard let sequence = event.member("sequence").flatMap({ Int($0.description) }), sequence > last else {
                continue
            }
            try await emit(event)
            last = sequence
        }
    }
}
