import ArgumentParser
import Contract
import Logging
import RPC
import ServiceLifecycle
import UnixSignals

/// `octavo schedules work`.
struct SchedulesWork: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "work",
        abstract: "Carry out the commands that schedules begin, until it is stopped.",
        discussion: """
            `octavo up` does this by itself, and on an installed machine octavo-commands.service. Any number may do so: each \
            command is carried out by one of them, and once.
            """
    )

    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let logger = Logger(label: "octavo") { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = .notice
            return handler
        }
        let storage = RPCClient(path: service.socket("storage"), role: .admin, name: "storage", logger: logger)
        let worker = CommandWorker(
            storage: storage,
            program: try House.programs() + "/octavo",
            options: ["--run-folder", service.folder],
            told: { Terminal.error.line($0) }
        )
        let group = ServiceGroup(
            services: [storage, worker],
            gracefulShutdownSignals: [.sigint, .sigterm],
            logger: logger
        )
        try await group.run()
    }
}
