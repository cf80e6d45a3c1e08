import Contract
import RPC
import Wire

extension RPCClient {
    /// The events of a run behind a number, those past and those to come, until it has ended: each once, also when storage is started
    /// again meanwhile, or the run is silent for long.
    ///
    /// Errors: that of storage, when it is away for longer than it takes to be started again.
    func events(of run: RunID, after number: Int = 0, _ each: (JSON) throws -> Void) async throws {
        var last = number
        var patience = Patience(.seconds(30))
        while true {
            do {
                for try await event in stream(FollowRun(run: run, after: last), deadline: .seconds(600)).json {
                    try each(event)
                    last += 1
                    patience.succeeded()
                }
                return
            } catch let error as ServiceError {
                if error.code != .deadlineExceeded { try await patience.wait(after: error) }
            }
        }
    }
}
