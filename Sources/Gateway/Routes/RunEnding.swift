import Contract
import RPC
import Synchronization
import Wire

/// What somebody is told who wants one document of a run: how it has ended, or that it goes on when a person has decided.
enum RunEnding: Sendable {
    case finished(Outcome)
    case waiting(ApprovalNotice)
}

extension RunFollower {
    /// On its way out of a stream of events.
    private struct Waiting: Error {
        let notice: ApprovalNotice
    }

    /// Starts a run and follows it until it has ended, or waits for a person: that may take days, and nobody's request lasts as long.
    func ending(of start: StartRun, trace: TraceParent) async throws -> RunEnding {
        let last = Mutex<JSON?>(nil)
        let run = start.run
        var start = start
        start.watched = false
        do {
            try await self.start(start, trace: trace) { event in
                last.withLock { $0 = event }
                guard event.member("type")?.string == "approval" else { return }
                let told = try event.decode(RunEvent.self)
                guard case .approval(let notice) = told.body, notice.state == .pending else { return }
                // What was told a while ago may be decided by now; then more events are on their way.
                let now = try await storage.client(for: run).perform(GetRun(run: run), traceparent: trace)
                if now.state == .waiting, now.events == told.sequence { throw Waiting(notice: notice) }
            }
        } catch let waiting as Waiting {
            return .waiting(waiting.notice)
        }
        guard let last = last.withLock({ $0 }), case .finished(let outcome) = try last.decode(RunEvent.self).body else {
            throw ServiceError.unavailable("The run has not finished; ask for it at /v1/runs/\(run).")
        }
        return .finished(outcome)
    }
}
