import Agents
import Contract
import Wire

/// An error as a run's record keeps it: a code of the protocol and a sentence that is safe to show.
struct RunFailure {
    let code: String
    let message: String
    /// Whether the same may succeed later.
    let mayPass: Bool
    /// How long its cause is better left alone.
    let retryAfter: Duration?
    /// Whether the provider has asked for that, of whoever asks it. A model that has failed again and again is left alone by this
    /// process: others may reach it.
    let holdsProvider: Bool

    init(_ error: any Error) {
        switch error {
        case let error as AgentError:
            message = error.message
            mayPass = [.rateLimited, .providerUnavailable, .timedOut].contains(error.code)
            retryAfter = error.retryAfter
            holdsProvider = error.code == .rateLimited && error.retryAfter != nil
            code =
                switch error.code {
                case .limitReached, .rateLimited: ErrorCode.resourceExhausted.rawValue
                case .providerUnavailable: ErrorCode.unavailable.rawValue
                case .providerRefused, .misconfigured: ErrorCode.failedPrecondition.rawValue
                case .timedOut: ErrorCode.deadlineExceeded.rawValue
                case .cancelled: ErrorCode.cancelled.rawValue
                case .interrupted: ErrorCode.outcomeUnknown.rawValue
                case .invalidAnswer: ErrorCode.internal.rawValue
                }
        case let error as ServiceError:
            code = error.code.rawValue
            message = error.message
            mayPass = error.retry != .no
            retryAfter = nil
            holdsProvider = false
        default:
            code = ErrorCode.internal.rawValue
            message = "Something went wrong inside the agent runner; its log says more."
            mayPass = false
            retryAfter = nil
            holdsProvider = false
        }
    }
}

extension RunFailure {
    /// That of an agent which has failed, after its model and what it calls have used so much.
    func outcome(of model: String, _ usage: Contract.Usage) -> Outcome {
        Outcome(state: .failed, error: Outcome.Failure(code: code, message: message), model: model, usage: usage)
    }
}

/// An attempt failed by something that may pass.
struct PassingFailure: Error {
    let failure: Outcome.Failure
    /// In milliseconds.
    let pause: Int?
    /// In milliseconds: when another attempt would come too late. Nil for one that never does.
    let remaining: Int?
    /// Whether the pause is a wish of the provider, which counts for everybody.
    let holdsProvider: Bool

    init(_ failure: RunFailure, remaining: Duration?) {
        self.remaining = remaining.map { max(0, $0.milliseconds) }
        self.failure = Outcome.Failure(code: failure.code, message: failure.message)
        pause = failure.retryAfter.map { min(HoldProvider.longestMilliseconds, Int($0.components.seconds + 1) * 1_000) }
        holdsProvider = failure.holdsProvider
    }

    /// Whoever says when to come back is not to be asked before.
    var reason: ReleaseRun.Reason { pause == nil ? .failed : .held }
}

/// The lease is not ours: the run has ended, or is carried out by another runner.
struct RunIsElsewhere: Error {}
