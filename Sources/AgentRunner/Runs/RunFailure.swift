import Agents
import Wire

/// An error as a run's record keeps it: a code of the protocol and a sentence that is safe to show.
struct RunFailure {
    let code: String
    let message: String

    init(_ error: any Error) {
        switch error {
        case let error as AgentError:
            message = error.message
            code =
                switch error.code {
                case .limitReached, .rateLimited: ErrorCode.resourceExhausted.rawValue
                case .providerUnavailable: ErrorCode.unavailable.rawValue
                case .providerRefused, .misconfigured: ErrorCode.failedPrecondition.rawValue
                case .timedOut: ErrorCode.deadlineExceeded.rawValue
                case .cancelled: ErrorCode.cancelled.rawValue
                case .invalidAnswer: ErrorCode.internal.rawValue
                }
        case let error as ServiceError:
            code = error.code.rawValue
            message = error.message
        default:
            code = ErrorCode.internal.rawValue
            message = "Something went wrong inside the agent runner; its log says more."
        }
    }
}
