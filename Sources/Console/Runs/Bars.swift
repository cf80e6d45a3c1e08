import Contract
import FoundationEssentials

/// Bars on a common scale, so that what overlapped is seen to overlap.
enum Bars {
    private static let columns = 40

    private struct Bar {
        var name: String
        var start: Int
        /// Nil: nobody told.
        var end: Int?
        var remark = ""
    }

    /// The parts of a run's last attempt, and the steps of all of them, in milliseconds from when the first of these began. Both have one
    /// scale; what there is nothing of is left out.
    static func of(_ run: GetRun.Result) -> [[String]] {
        of(run.outcome?.timeline ?? [], begunAfter: run.wait, run.steps)
    }

    /// - Parameter wait: when the attempt began, from when the run was asked, as steps are counted.
    static func of(_ parts: [Span], begunAfter wait: Int, _ steps: [RunStep]) -> [[String]] {
        let groups = [
            parts.map {
                Bar(name: Terminal.oneLine($0.name), start: wait + $0.startMilliseconds, end: wait + $0.endMilliseconds)
            },
            steps.map(bar),
        ]
        let all = groups.joined()
        let first = all.map(\.start).min() ?? 0
        let width = (all.map { $0.end ?? $0.start }.max() ?? 0) - first
        guard width > 0 else { return [] }
        let names = max(8, min(24, all.map(\.name.count).max() ?? 0))
        return groups.filter { !$0.isEmpty }.map { bars in
            bars.map { line($0, from: first, width: width, names: names) }
        }
    }

    private static func bar(_ step: RunStep) -> Bar {
        let attempt = step.attempt > 1 ? " (\(step.attempt))" : ""
        return Bar(
            name: Terminal.oneLine(step.name) + attempt,
            start: max(0, step.startMilliseconds),
            end: step.endMilliseconds.map { max(0, $0) },
            remark: step.kind == .model && step.endMilliseconds != nil
                ? "  \(step.inputTokens) + \(step.outputTokens) tokens" : ""
        )
    }

    private static func line(_ bar: Bar, from first: Int, width: Int, names: Int) -> String {
        let (start, end) = (bar.start - first, bar.end.map { $0 - first })
        let left = start * columns / width
        let right = max(left + 1, (end ?? width) * columns / width)
        let drawn =
            String(repeating: " ", count: left)
            + String(repeating: end == nil ? "░" : "█", count: right - left)
        let times = "\(start)–\(end.map { "\($0)" } ?? "…") ms"
        return
            "\(String(bar.name.prefix(names)).padded(to: names)) \(drawn.padded(to: columns + 1)) \(times)\(bar.remark)"
    }
}

extension GetRun.Result {
    /// Milliseconds from when it was asked to when its last attempt began. Its runner counts from there on and says no time of day, but
    /// its end is in the record, and none of its steps began before it.
    fileprivate var wait: Int {
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        guard let timeline = outcome?.timeline, let length = timeline.map(\.endMilliseconds).max(),
            let asked = try? style.parse(created), let ended = try? finished.map({ try style.parse($0) })
        else { return 0 }
        let whole = Int((ended.timeIntervalSince(asked) * 1_000).rounded())
        let steps = steps.filter { $0.attempt == attempt }.map(\.startMilliseconds)
        return max(0, min(whole - length, steps.min() ?? whole))
    }
}
