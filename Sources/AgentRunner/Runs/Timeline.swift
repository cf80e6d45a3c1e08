import Contract
import Synchronization

/// When the parts of a run took place, so that everybody can see that they overlap.
final class Timeline: Sendable {
    private let start = ContinuousClock.now
    private let state = Mutex<[(span: Span, isOver: Bool)]>([])

    /// The parts so far; those that are not over last until now.
    var spans: [Span] {
        let now = milliseconds
        return state.withLock { parts in
            parts.map { part in
                var span = part.span
                if !part.isOver { span.endMilliseconds = now }
                return span
            }
        }
    }

    /// Since it began.
    var elapsed: Duration { start.duration(to: .now) }

    /// Carries out a part and notes when.
    func measure<T: Sendable>(_ name: String, _ body: () async throws -> T) async rethrows -> T {
        let begin = Span(name: name, startMilliseconds: milliseconds, endMilliseconds: 0)
        let index = state.withLock { parts in
            parts.append((begin, false))
            return parts.count - 1
        }
        defer {
            let end = milliseconds
            state.withLock { parts in
                parts[index].span.endMilliseconds = end
                parts[index].isOver = true
            }
        }
        return try await body()
    }

    private var milliseconds: Int { elapsed.milliseconds }
}
