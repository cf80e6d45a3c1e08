import Contract
import Logging
import RPC

/// Waits until every service is ready, and has Octavo's own documentation as the first book.
struct FirstBook: InstallStep {
    private static let patience = Duration.seconds(60)
    private static let source = "/usr/share/doc/octavo"
    private static let bookTitle = "Octavo"

    let title = "first book"

    func apply(on host: Host) async throws -> String {
        guard !host.isDryRun else {
            host.would("import \(Self.source), unless there are other books")
            return ""
        }
        guard try await host.isActive("octavo.target") else { return "" }
        try await waitUntilReady()
        return try await Self.withAdmin("storage") { storage in
            let known = try await storage.perform(ListSources()).books.first { $0.sources == [Self.source] }
            // Whoever has books of their own and not this one has decided against it.
            if known == nil, try await !storage.perform(ListBooks(limit: 1)).books.isEmpty { return "" }
            let report = try await BookImport(
                paths: [Self.source],
                title: known?.title ?? Self.bookTitle,
                authors: known?.authors ?? [],
                storage: storage,
                progress: .error
            ).run()
            return report.changed == 0
                ? "as it was" : "\"\(known?.title ?? Self.bookTitle)\", \(report.sections) sections"
        }
    }

    private func waitUntilReady() async throws {
        let end = ContinuousClock.now + Self.patience
        for service in ["storage", "agent-runner", "gateway"] {
            while true {
                let reasons = await Self.notReady(service)
                if reasons.isEmpty { break }
                guard ContinuousClock.now < end else {
                    throw Failure("\(service) is not ready: \(reasons.joined(separator: "; ")). Ask why: octavo doctor")
                }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    private static func notReady(_ service: String) async -> [String] {
        do {
            return try await withAdmin(service) { try await $0.perform(GetHealth(), deadline: .seconds(5)) }.reasons
        } catch {
            return ["\(error)"]
        }
    }

    private static func withAdmin<T: Sendable>(
        _ service: String,
        _ body: (RPCClient) async throws -> T
    ) async throws -> T {
        var logger = Logger(label: "octavo")
        logger.logLevel = .critical
        let path = "/run/octavo/\(service)-admin.sock"
        return try await RPCClient.withConnection(path: path, role: .admin, name: service, logger: logger, body)
    }
}
