import ArgumentParser
import Contract
import Glibc
import Logging
import RPC
import Wire

/// Where the services' admin sockets are.
struct ServiceOptions: ParsableArguments {
    @Option(
        name: .customLong("run-folder"),
        help: ArgumentHelp(
            "The folder of the services' sockets. (default: that of a running 'octavo up', else /run/octavo)",
            valueName: "folder"
        )
    )
    var runFolder: String?

    /// The admin socket of a service.
    func socket(_ service: String) -> String {
        path(of: "\(service)-admin")
    }

    /// A socket by its name, such as `storage-gateway`.
    func path(of socket: String) -> String {
        "\(folder)/\(socket).sock"
    }

    /// Where all of them are.
    var folder: String {
        if let runFolder { return runFolder }
        if let local = try? StateFolder.standard, local.isInUse { return local.runFolder }
        return "/run/octavo"
    }

    /// Calls a service as an administrator.
    func withService<T: Sendable>(_ service: String, _ body: (RPCClient) async throws -> T) async throws -> T {
        let path = socket(service)
        // Asked first, since the client waits a moment for a service that may be just starting.
        if let error = refusal(of: path) { throw Self.unreachable(path, error) }
        var logger = Logger(label: "octavo")
        logger.logLevel = .critical
        do {
            return try await RPCClient.withConnection(path: path, role: .admin, name: service, logger: logger, body)
        } catch let error as ServiceError {
            throw Failure(Terminal.harmless(error.message) + Self.advice(error))
        }
    }

    /// Has storage perform an operation for each of several names, in their order. One that is refused does not keep the others from
    /// being carried out; which were is said at the end.
    func perform<Name, O: Contract.Operation>(
        forEach names: [Name],
        _ operation: (Name) -> O,
        done: (O.Result) -> Void = { _ in }
    ) async throws {
        try await withService("storage") { storage in
            var refused: [String] = []
            for name in names {
                do {
                    done(try await storage.perform(operation(name)))
                } catch let error as ServiceError where names.count > 1 && error.retry == .no {
                    refused.append("\(name): \(Terminal.harmless(error.message))")
                }
            }
            guard refused.isEmpty else { throw Failure(refused.joined(separator: "\n")) }
        }
    }

    private static func unreachable(_ path: String, _ error: CInt) -> Failure {
        switch error {
        case ENOENT, ENOTDIR:
            Failure(
                "Octavo is not running here: there is no \(path). Start it with `\(Failure.start)`, or name the folder of its sockets with --run-folder."
            )
        case ECONNREFUSED:
            Failure("Octavo is not running: nobody listens on \(path) any more. Start it again: \(Failure.start)")
        case EACCES, EPERM:
            Failure(
                "You may not use \(path): become a member of its group (octavo-admin), or use sudo.",
                isForbidden: true
            )
        case ENAMETOOLONG:
            Failure(
                "The path of the socket has \(path.utf8.count) bytes and 107 are allowed: \(path). Name a shorter one with --run-folder."
            )
        default:
            Failure(
                "\(path) cannot be used: \(String(cString: strerror(error))). Name the folder of Octavo's sockets with --run-folder."
            )
        }
    }

    /// What to do about an error, after its own sentence.
    static func advice(_ error: ServiceError) -> String {
        switch error.code {
        // It names the log itself.
        case .internal where error.message.contains("log"): ""
        case .unavailable, .deadlineExceeded: " What is in the way: octavo health"
        case .resourceExhausted, .aborted: " Try again in a moment."
        case .outcomeUnknown: " Look whether it was done before you do it again."
        case .internal, .dataLoss, .protocolError: " The service's log says more."
        default: ""
        }
    }
}

/// What a command ends with when it could not do its work: a sentence that says what to do.
struct Failure: Error, CustomStringConvertible {
    let description: String
    /// The person who asks may not: nothing is known of what they asked about.
    let isForbidden: Bool

    init(_ description: String, isForbidden: Bool = false) {
        self.description = description
        self.isForbidden = isForbidden
    }

    /// How Octavo is started on this machine.
    static var start: String {
        access("/usr/lib/systemd/system/octavo.target", F_OK) == 0
            ? "sudo systemctl start octavo.target" : "octavo up"
    }
}
