import Contract

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

    /// The parts of an attempt.
    static func of(_ spans: [Span]) -> [String] {
        lines(spans.map { Bar(name: $0.name, start: $0.startMilliseconds, end: $0.endMilliseconds) })
    }

    /// The steps of a run.
    static func of(_ steps: [RunStep]) -> [String] {
        lines(
            steps.map { step in
                let attempt = step.attempt > 1 ? " (\(step.attempt))" : ""
                return Bar(
                    name: Terminal.harmless(step.name) + attempt,
                    start: max(0, step.startMilliseconds),
                    end: step.endMilliseconds.map { max(0, $0) },
                    remark: step.kind == .model && step.endMilliseconds != nil
                        ? "  \(step.inputTokens) + \(step.outputTokens) tokens" : ""
                )
            }
        )
    }

    private static func lines(_ bars: [Bar]) -> [String] {
        let width = bars.map { $0.end ?? $0.start }.max() ?? 0
        guard width > 0 else { return [] }
        let names = min(24, bars.map(\.name.count).max() ?? 0)
        return bars.map { bar in
            let start = bar.start * columns / width
            let end = max(start + 1, (bar.end ?? width) * columns / width)
            let drawn =
                String(repeating: " ", count: start)
                + String(repeating: bar.end == nil ? "░" : "█", count: end - start)
            let times = "\(bar.start)–\(bar.end.map { "\($0)" } ?? "…") ms"
            return
                "\(String(bar.name.prefix(names)).padded(to: max(8, names))) \(drawn.padded(to: columns + 1)) \(times)\(bar.remark)"
        }
    }
}
