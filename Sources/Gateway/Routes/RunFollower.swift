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

    /// How far a run was followed.
    private struct Position {
        /// The number of the last event.
        var last = 0
        /// Whether somebody may have to decide before there is another.
        var mayAwaitPerson = false

        /// Whether nothing is wrong but that nobody has decided yet.
        func isLongWait(_ error: ServiceError) -> Bool { mayAwaitPerson && error.code == .deadlineExceeded }
    }

    let runner: LongCalls
    let storage: LongCalls

    /// Starts a run and follows it to its end.
    func start(_ start: StartRun, trace: TraceParent, emit: @Sendable (JSON) async throws -> Void) async throws {
        var start = start
        var position = Position()
        var isStored = false
        var patience = Patience(Self.patience.beforeStored)
        while true {
            let before = position.last
            do {
                if isStored {
                    try await follow(
                        storage.client(for: start.run).stream(
                            FollowRun(run: start.run, after: position.last),
                            deadline: Self.longest,
                            traceparent: trace
                        ),
                        &position,
                        emit
                    )
                } else {
                    try await follow(
                        runner.client(for: start.run).stream(start, deadline: Self.longest, traceparent: trace),
                        &position,
                        emit
                    )
                }
                return
            } catch let error as ServiceError {
                // Whoever failed may have begun it.
                start.isNew = nil
                if position.isLongWait(error) { continue }
                if position.last > max(1, before) { patience = Patience(Self.patience.stored) }
                if error.code == .notFound, isStored {
                    // Nothing was stored: the question was lost with its runner, and is asked again under the same id.
                    isStored = false
                    continue
                }
                try await patience.wait(after: error)
                // Told, and perhaps stored: storage knows.
                if error.code == .aborted || position.last > 0 { isStored = true }
            }
        }
    }

    /// Follows a stored run from behind an event.
    func follow(_ run: RunID, after: Int, emit: @Sendable (JSON) async throws -> Void) async throws {
        var position = Position(last: after)
        var patience = Patience(Self.patience.stored)
        while true {
            let before = position.last
            do {
                try await follow(
                    storage.client(for: run).stream(FollowRun(run: run, after: position.last), deadline: Self.longest),
                    &position,
                    emit
                )
                return
            } catch let error as ServiceError {
                if position.isLongWait(error) { continue }
                if position.last > before { patience.succeeded() }
                try await patience.wait(after: error)
            }
        }
    }

    private func follow<O: StreamingOperation>(
        _ stream: RPCStream<O>,
        _ position: inout Position,
        _ emit: @Sendable (JSON) async throws -> Void
    ) async throws {
        for try await event in stream.json {
            guard let sequence = event.member("sequence").flatMap({ Int($0.description) }), sequence > position.last
            else {
                continue
            }
            try await emit(event)
            position = Position(last: sequence, mayAwaitPerson: event.member("type")?.string == "approval")
        }
    }
}
