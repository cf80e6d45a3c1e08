import Contract
import Synchronization
import Wire

/// How a run is going to be opened, judging by the last one: where its first step has begun with it, storage is there and no budget is
/// set, and the model of a run that nobody has asked for before can be asked at once. A budget that is set and a storage that goes
/// away are noticed with the next opening that ends, or when none has for a while.
final class Outlook: Sendable {
    /// What is asked for in so long may be paid for though it turns out that it was not to be.
    private static let lasts = Duration.seconds(5)

    private let end = Mutex<ContinuousClock.Instant?>(nil)

    /// Whether the last run opened as one hopes for, and not too long ago.
    var isGood: Bool {
        get { end.withLock { $0.map { ContinuousClock.now < $0 } ?? false } }
        set { end.withLock { $0 = newValue ? .now + Self.lasts : nil } }
    }

    /// Opens a run. From the first try that fails on nothing goes ahead, unless it is the caller's own fault.
    func watching(_ open: () async throws -> OpenRun.Result) async throws -> OpenRun.Result {
        do {
            return try await open()
        } catch {
            let code = (error as? ServiceError)?.code
            if code != .alreadyExists, code != .cancelled, !(error is CancellationError) { isGood = false }
            throw error
        }
    }
}
