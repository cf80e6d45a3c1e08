import Contract
import Synchronization

/// When the parts of a run took place, so that everybody can see that they overlap.
final class Timeline: Sendable {
    private let start = ContinuousClock.now
    private let state = Mutex<[Span]>([])

    var spans: [Span] { state.withLock { $0 } }

    /// Carries out a part and notes when.
    func measure<T: Sendable>(_ name: String, _ body: () async throws -> T) async rethrows -> T {
        let begin = milliseconds
        defer {
            let span = Span(name: name, startMilliseconds: begin, endMilliseconds: milliseconds)
            state.withLock { $0.append(span) }
        }
        return try await body()
    }

    private var milliseconds: Int {
        let elapsed = (ContinuousClock.now - start).components
        return Int(elapsed.seconds) * 1000 + Int(elapsed.attoseconds / 1_000_000_000_000_000)
    }
}
