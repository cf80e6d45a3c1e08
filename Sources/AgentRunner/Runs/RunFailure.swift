import Agents
import Contract
import Wire

/// An error as a run's record keeps it: a code of the protocol and a sentence that is safe to show.
struct RunFailure {
    let code: String
    let message: String
    /// Whether the same may succeed later.
    let mayPass: Bool
    /// How long the provider wants to be left alone, by whoever asks.
    let retryAfter: Duration?

    init(_ error: any Error) {
        switch error {
        case let error as AgentError:
            message = error.message
            mayPass = [.rateLimited, .providerUnavailable, .timedOut].contains(error.code)
            retryAfter = error.retryAfter
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
        default:
            code = ErrorCode.internal.rawValue
            message = "Something went wrong inside the agent runner; its log says more."
            mayPass = false
            retryAfter = nil
        }
    }
}

/// An attempt failed by something that may pass.
struct PassingFailure: Error {
    let failure: Outcome.Failure
    /// In milliseconds.
    let pause: Int?
    /// Whether the pause is a wish of the provider, that counts for everybody.
    let holdsProvider: Bool

    init(_ failure: RunFailure) {
        self.failure = Outcome.Failure(code: failure.code, message: failure.message)
        pause = failure.retryAfter.map { min(HoldProvider.longestMilliseconds, Int($0.components.seconds + 1) * 1_000) }
        holdsProvider = pause != nil
    }
}
