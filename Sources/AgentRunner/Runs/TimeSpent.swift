import Contract
import FoundationEssentials

extension GetRun.Result {
    /// How long the attempts before this one have taken, as far as their steps tell, whose names begin with `prefix`.
    ///
    /// What lies between two of them counts where each has failed or was lost: whoever asked has waited then as well. The time
    /// of a person who had to approve something is not the run's, nor that of a runner that was stopped.
    func timeSpent(before attempt: Int, within prefix: String = "", at now: Date = Date()) -> Duration {
        let earlier = steps.filter { $0.attempt < attempt && $0.step.hasPrefix(prefix) }
        guard let began = earlier.map(\.startMilliseconds).min() else { return .zero }
        if let failures, failures >= attempt - 1, let created = try? Date(created, strategy: Self.timestamp) {
            let age = now.timeIntervalSince(created) * 1_000
            return .milliseconds(max(0, Int(age) - began))
        }
        let spans = Dictionary(grouping: earlier, by: \.attempt).values.map { steps in
            (steps.map { $0.endMilliseconds ?? $0.startMilliseconds }.max() ?? 0)
                - (steps.map(\.startMilliseconds).min() ?? 0)
        }
        return .milliseconds(spans.reduce(0, +))
    }

    private static let timestamp = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
}
