import Contract
import RPC

extension RPCClient {
    /// Begins the call of a tool.
    func begin(
        _ lease: ClaimRuns.Lease,
        _ arguments: String = #"{"count":3}"#,
        tool: String = "order",
        step: String = "1/a",
        agent: String? = "echo",
        approval: BeginStep.Demand? = nil
    ) async throws -> BeginStep.Result {
        let begin = BeginStep(
            run: lease.run,
            runner: "a",
            attempt: lease.attempt,
            step: step,
            kind: .tool,
            name: tool,
            digest: arguments,
            tokens: 0,
            repeats: false,
            arguments: arguments,
            agent: agent,
            approval: approval
        )
        return try await perform(begin)
    }

    /// Gives a run back that waits for a person.
    func giveBack(_ lease: ClaimRuns.Lease) async throws {
        let awaiting = ReleaseRun(run: lease.run, runner: "a", attempt: lease.attempt, reason: .awaiting)
        _ = try await perform(awaiting)
    }
}

extension StorageHost {
    /// All of them, newest first.
    func approvals() async throws -> [ListApprovals.Result.Line] {
        try await admin.perform(ListApprovals()).approvals
    }
}
