import Contract
import FoundationEssentials

extension Postponement {
    /// For whoever waits for the run.
    func sentence(at told: Date = .now) -> String {
        "trying again \(pause(from: told)): \(Terminal.harmless(message))"
    }

    /// Of more than a moment, how long it is.
    private func pause(from told: Date) -> String {
        guard let end = try? Date(until, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)) else {
            return "later"
        }
        let seconds = Int(end.timeIntervalSince(told).rounded())
        return seconds > 1 ? "in \(seconds) s" : "in a moment"
    }
}
