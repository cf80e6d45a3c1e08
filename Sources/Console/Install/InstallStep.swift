/// One thing an installation consists of. Doing it again changes nothing, and what was done can be undone.
protocol InstallStep: Sendable {
    /// What it sees to, in a word or two.
    var title: String { get }

    /// Brings it about, and says in a few words what that took. In a dry run the host says instead what would be done.
    func apply(on host: Host) async throws -> String

    /// Takes it back, and says what is gone. What was the admin's stays.
    func undo(on host: Host) async throws -> String
}

extension InstallStep {
    /// For what leaves nothing behind.
    func undo(on host: Host) async throws -> String { "" }
}

/// Goes through steps and tells about each.
struct InstallProgress {
    private static let width = 16

    static func run(_ step: any InstallStep, on host: Host, _ body: () async throws -> String) async throws {
        let out = Terminal.output
        guard !host.isDryRun else {
            out.line(step.title)
            // What it returns is said of what was done.
            if try await !host.saysAnything({ _ = try await body() }) { out.line("  nothing to do") }
            return
        }
        out.progress("\(step.title)…")
        do {
            let done = try await body()
            out.clearProgress()
            if !done.isEmpty { out.line("\(step.title.padded(to: width)) \(done)") }
        } catch {
            out.clearProgress()
            out.line("\(step.title.padded(to: width)) \(out.styled("failed", .red))")
            throw error
        }
    }
}
