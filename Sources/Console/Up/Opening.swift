import Contract
import FoundationEssentials
import Logging
import RPC
import ServiceLifecycle
import Wire

/// What happens once the services are started: wait until they can work, bring in the first book, say where to go.
struct Opening: Service {
    /// Time for the first start on a slow disk.
    private static let patience = Duration.seconds(60)
    private static let example = "What happens when the agent runner dies?"

    let house: House
    let state: StateFolder
    let database: LocalDatabase
    let question: String?

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                try await open()
                try? await gracefulShutdown()
            }
        } catch {
            // Ctrl-C cuts off what it waits for, whatever that then throws; the stop is a clean one all the same.
            guard Task.isCancelled || Task.isShuttingDownGracefully else { throw error }
        }
    }

    private func open() async throws {
        let out = Terminal.output
        try await waitUntilReady()
        try await importOwnDocumentation()
        out.line("Octavo is up: \(out.styled(house.address, .bold))   (log: \(state.log))")
        out.line()
        out.line("Ask in another terminal:")
        let port = house.address.hasSuffix(":8080") ? "" : " --url \(house.address)"
        out.line("  octavo ask\(port) \"\(Self.example)\"")
        out.line("or:")
        out.line("  curl -s \(house.address)/v1/ask --json '{\"question\":\"\(Self.example)\"}'")
        out.line()
        if let question {
            out.line(out.styled("? \(question)", .bold))
            do {
                try await Asking(url: house.address).stream(question, to: out)
            } catch {
                try Task.checkCancellation()
                Terminal.error.line("\(error)")
            }
            out.line()
        }
        out.line(out.styled("Ctrl-C stops everything.", .dim))
    }

    private func waitUntilReady() async throws {
        defer { Terminal.error.clearProgress() }
        // A private database has limits of its own, and after a crash it may have much to replay.
        while database.isPrivate, !database.isUp { try await Task.sleep(for: .milliseconds(20)) }
        let end = ContinuousClock.now + Self.patience
        for service in ["storage", "agent-runner", "gateway"] {
            while true {
                let reasons = await notReady(service)
                if reasons.isEmpty { break }
                Terminal.error.progress("waiting for \(service): \(reasons.joined(separator: "; "))")
                guard ContinuousClock.now < end else {
                    if !database.isUp, let trouble = database.trouble { throw Failure(trouble) }
                    throw Failure(
                        "\(service) is not ready: \(reasons.joined(separator: "; ")). The end of \(state.log) says more."
                    )
                }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    private func notReady(_ service: String) async -> [String] {
        do {
            return try await withAdmin(service) { try await $0.perform(GetHealth(), deadline: .seconds(2)) }.reasons
        } catch let error as ServiceError {
            return [error.message]
        } catch {
            return ["\(error)"]
        }
    }

    /// The first book is Octavo's own: its README and its protocol. Without it everything else still works.
    private func importOwnDocumentation() async throws {
        guard let sources = Self.ownDocumentation() else {
            return Terminal.error.line(
                "Octavo's own documentation is not beside these programs, so there is no first book."
            )
        }
        do {
            try await withAdmin("storage") { storage in
                // Its title may have been changed since, and a title is what an import knows a book by.
                let known = try await storage.perform(ListSources()).books.first { $0.sources == sources }
                let title = known?.title ?? "Octavo"
                let book = BookImport(
                    paths: sources,
                    title: title,
                    authors: known?.authors ?? [],
                    storage: storage,
                    progress: .error
                )
                let report = try await book.run()
                if report.changed > 0 {
                    Terminal.error.line("imported \"\(title)\": \(report.documents) files, \(report.sections) sections")
                }
            }
        } catch {
            Terminal.error.clearProgress()
            try Task.checkCancellation()
            let reason = (error as? ServiceError)?.message ?? "\(error)"
            Terminal.error.line("Octavo's own documentation was not imported: \(reason)")
        }
    }

    /// Beside the programs when they were installed, else in the checkout they were built in.
    private static func ownDocumentation() -> [String]? {
        guard var folder = try? House.programs() else { return nil }
        let installed = "/usr/share/doc/octavo"
        while !folder.isEmpty {
            let sources = ["\(folder)/README.md", "\(folder)/protocol"]
            if sources.allSatisfy(FileManager.default.fileExists(atPath:)) { return sources }
            folder = String(folder[..<(folder.lastIndex(of: "/") ?? folder.startIndex)])
        }
        return FileManager.default.fileExists(atPath: installed) ? [installed] : nil
    }

    private func withAdmin<T: Sendable>(_ service: String, _ body: (RPCClient) async throws -> T) async throws -> T {
        var logger = Logger(label: "octavo")
        logger.logLevel = .critical
        let path = "\(state.runFolder)/\(service)-admin.sock"
        return try await RPCClient.withConnection(path: path, role: .admin, name: service, logger: logger, body)
    }
}
