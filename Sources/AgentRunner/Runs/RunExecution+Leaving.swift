import Contract
import Logging
import RPC
import Traces
import Tracing
import Wire

/// How a run is let go of here.
extension RunExecution {
    /// The run goes on elsewhere, or is over: whoever follows it here does so in storage from now on.
    @inline(never)
    func leave(_ error: any Error) async {
        switch error {
        case is RunIsElsewhere, Stopping.Reason.lost:
            end(.failure(ServiceError(.aborted, "The run is carried out elsewhere, or has ended.", retry: .safe)))
        case Stopping.Reason.drained:
            await release(.drained)
            end(.failure(ServiceError(.aborted, "The agent runner is stopping; the run goes on.", retry: .safe)))
        case is AwaitsApproval:
            logger.info("run waits for approval", metadata: ["run_id": "\(run)"])
            await release(.awaiting)
            end(.failure(ServiceError(.aborted, "The run waits for a person's approval.", retry: .safe)))
        case let failure as PassingFailure:
            logger.warning(
                "attempt failed",
                metadata: [
                    "run_id": "\(run)", "attempt": "\(origin.attempt)", "model": "\(agent.modelName)",
                    "error_code": "\(failure.failure.code)", "error": "\(failure.failure.message)",
                ]
            )
            await release(failure.reason, failure.failure, after: failure.pause, within: failure.remaining)
            if let pause = failure.pause, failure.holdsProvider {
                let hold = HoldProvider(provider: agent.providerName, milliseconds: pause)
                _ = try? await storage.perform(hold, deadline: .seconds(5), traceparent: trace)
            }
            end(.failure(ServiceError(.aborted, "The run is tried again later.", retry: .safe)))
        // It was never ours: there is nothing to give back, and what this runner holds of that id by now is another's.
        case let error as ServiceError where error.code == .alreadyExists: end(.failure(error))
        default:
            // What storage does not take goes elsewhere at once; a no to this call too means the lease is gone anyway.
            logger.warning("run given up here", metadata: ["run_id": "\(run)", "error": "\(error)"])
            await release(.lost)
            end(.failure(error as? ServiceError ?? .unavailable("The run was interrupted; it goes on later.")))
        }
    }

    /// The span ends first: the caller's lasts until it has seen the end.
    func end(_ outcome: Result<Void, ServiceError>) {
        if case .failure(let error) = outcome { span?.fail(error.code.rawValue) }
        span?.end()
        feed.end(outcome)
    }

    private func release(
        _ reason: ReleaseRun.Reason,
        _ error: Outcome.Failure? = nil,
        after pause: Int? = nil,
        within remaining: Int? = nil
    ) async {
        let release = ReleaseRun(
            run: run,
            runner: runner,
            attempt: origin.attempt,
            reason: reason,
            error: error,
            afterMilliseconds: pause,
            withinMilliseconds: remaining
        )
        do {
            _ = try await storage.perform(release, deadline: .seconds(5), traceparent: trace)
        } catch {
            // Then it ends by time, or with this process.
            logger.warning("lease not given back", metadata: ["run_id": "\(run)", "error": "\(error)"])
        }
    }
}
