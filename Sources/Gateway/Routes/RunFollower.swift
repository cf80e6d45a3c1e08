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

    let runner: RPCClient
    let storage: RPCClient

    /// Starts a run and follows it to its end.
    func start(_ start: StartRun, emit: @Sendable (JSON) async throws -> Void) async throws {
        var last = 0
        var stored = false
        var pause = Pause(patience: Self.patience.beforeStored)
        while true {
            do {
                if !stored {
                    try await follow(runner.stream(start, deadline: .seconds(600)), last: &last, emit)
                } else {
                    let stream = storage.stream(FollowRun(run: start.run, after: last), deadline: .seconds(600))
                    try await follow(stream, last: &last, emit)
                }
                return
            } catch let error as ServiceError {
                if error.code == .notFound, stored {
                    // Nothing was stored: the question was lost with its runner, and is asked again under the same id.
                    stored = false
                } else if error.code == .aborted || (last > 0 && error.passes), !stored {
                    // Told, and perhaps stored: storage knows.
                    stored = true
                    if last > 1 { pause = Pause(patience: Self.patience.stored) }
                } else if !error.passes {
                    throw error
                }
                try await pause.orThrow(error)
            }
        }
    }

    /// Follows a stored run from behind an event.
    func follow(_ run: RunID, after: Int, emit: @Sendable (JSON) async throws -> Void) async throws {
        var last = after
        var pause = Pause(patience: Self.patience.stored)
        while true {
            do {
                let stream = storage.stream(FollowRun(run: run, after: last), deadline: .seconds(600))
                try await follow(stream, last: &last, emit)
                return
            } catch let error as ServiceError where error.passes {
                try await pause.orThrow(error)
            }
        }
    }

    private func follow<O: StreamingOperation>(
        _ stream: RPCStream<O>,
        last: inout Int,
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

/// Growing pauses between tries, until patience is over.
private struct Pause {
    private let end: ContinuousClock.Instant
    private var milliseconds = 25.0

    init(patience: Duration) {
        end = ContinuousClock.now + patience
    }

    mutating func orThrow(_ error: ServiceError) async throws {
        guard ContinuousClock.now < end else { throw error }
        try await Task.sleep(for: .milliseconds(Int(Double.random(in: milliseconds / 2...milliseconds))))
        milliseconds = min(1_000, milliseconds * 2)
    }
}

extension ServiceError {
    /// Whether the same call may succeed a little later; every call made here may be repeated.
    fileprivate var passes: Bool {
        switch code {
        case .unavailable, .outcomeUnknown, .aborted: retry != .no
        default: false
        }
    }
}
