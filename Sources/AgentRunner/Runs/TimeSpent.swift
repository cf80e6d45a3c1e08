import Contract
import FoundationEssentials

extension Steps {
    /// How long earlier attempts have taken.
    func timeSpent() async throws -> Duration {
        guard let (record, attempt) = try await earlierAttempts() else { return .zero }
        return record.timeSpent(before: attempt, within: prefix)
    }

    /// What an attempt that has lasted for `elapsed` leaves of a limit of time. Nil where the pause before the next one takes nothing from it.
    func timeLeft(of limit: Duration, after elapsed: Duration) async throws -> Duration? {
        guard let (record, attempt) = try await earlierAttempts() else { return limit - elapsed }
        return record.timeLeft(of: limit, in: attempt, after: elapsed)
    }
}

extension GetRun.Result {
    /// How long the attempts before this one have taken: the run's own since it began; otherwise as far as their steps tell, whose names begin
    /// with `prefix`.
    func timeSpent(before attempt: Int, within prefix: String = "", at now: Date = Date()) -> Duration {
        let earlier = steps.filter { $0.attempt < attempt && $0.step.hasPrefix(prefix) }
        if countsPauses(before: attempt), let begin = begin(of: earlier, isOwn: prefix.isEmpty) {
            return .milliseconds(max(0, Int(now.timeIntervalSince(begin) * 1_000)))
        }
        let spans = Dictionary(grouping: earlier, by: \.attempt).values.map { steps in
            (steps.map { $0.endMilliseconds ?? $0.startMilliseconds }.max() ?? 0)
                - (steps.map(\.startMilliseconds).min() ?? 0)
        }
        return .milliseconds(spans.reduce(0, +))
    }

    /// The same as ``Steps/timeLeft(of:after:)``, of an attempt that is not the first.
    func timeLeft(of limit: Duration, in attempt: Int, after elapsed: Duration, at now: Date = Date()) -> Duration? {
        guard countsPauses(before: attempt) else { return nil }
        let began = now.addingTimeInterval(-Double(elapsed.milliseconds) / 1_000)
        return limit - elapsed - timeSpent(before: attempt, at: began)
    }

    /// Whether what lies between attempts counts: each has failed or was lost, and whoever asked has waited then as well. The time of a person
    /// who had to approve something is not the run's, nor that of a runner that was stopped.
    fileprivate func countsPauses(before attempt: Int) -> Bool { failures.map { $0 >= attempt - 1 } ?? false }

    /// An attempt that could ask nobody has no step.
    private func begin(of steps: [RunStep], isOwn: Bool) -> Date? {
        if isOwn, let began, let begin = try? Date(began, strategy: Self.timestamp) { return begin }
        guard let first = steps.map(\.startMilliseconds).min() else { return nil }
        let created = try? Date(created, strategy: Self.timestamp)
        return created?.addingTimeInterval(Double(first) / 1_000)
    }

    private static let timestamp = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
}
