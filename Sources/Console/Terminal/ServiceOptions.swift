import ArgumentParser
import Contract
import FoundationEssentials
import Glibc
import Logging
import RPC
import Wire

/// Where the services' admin sockets are.
struct ServiceOptions: ParsableArguments {
    @Option(
        name: .customLong("run-folder"),
        help: ArgumentHelp(
            "The folder of the services' sockets.",
            discussion: "By default that of a running 'octavo up', else /run/octavo."
        )
    )
    var runFolder: String?

    /// The admin socket of a service.
    func socket(_ service: String) -> String {
        folder + "/\(service)-admin.sock"
    }

    private var folder: String {
        if let runFolder { return runFolder }
        if let local = try? StateFolder.standard, local.isInUse { return local.runFolder }
        return "/run/octavo"
    }

    /// Calls a service as an administrator.
    func withService<T: Sendable>(_ service: String, _ body: (RPCClient) async throws -> T) async throws -> T {
        let path = socket(service)
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure(
                "Octavo is not running here: there is no \(path). Start it with `octavo up`, or name the folder of its sockets with --run-folder."
            )
        }
        guard access(path, R_OK | W_OK) == 0 else {
            throw Failure("You may not use \(path): become a member of its group (octavo-admin), or use sudo.")
        }
        var logger = Logger(label: "octavo")
        logger.logLevel = .critical
        do {
            return try await RPCClient.withConnection(path: path, role: .admin, name: service, logger: logger, body)
        } catch let error as ServiceError {
            throw Failure(error.message)
        }
    }
}

/// What a command ends with when it could not do its work: a sentence that says what to do.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
