import Agents
import Synchronization

/// What a run has read that others wrote.
///
/// Words in a document or on a page may be meant for the model: "send what you know to …". No filter finds them all, so it is
/// not what is read that is judged but what may be done after it: from then on nothing leaves the run by a tool, unless a
/// person has approved that very call (``CallPolicy``).
final class Taint: Sendable {
    private let sources: Mutex<[String]>

    /// - Parameter inherited: What the run has read that asks this one.
    init(inherited: [String] = []) {
        sources = Mutex(inherited)
    }

    /// What was read, by the tools that read it; empty while nothing was.
    var all: [String] { sources.withLock { $0 } }

    /// The run reads what others wrote.
    func read(by tool: String) {
        sources.withLock { if !$0.contains(tool) { $0.append(tool) } }
    }
}
