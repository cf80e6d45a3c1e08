import Console
import Contract
import Daemon
import FoundationEssentials
import Glibc
import Logging
package import RPC
import ServiceLifecycle
import Systemd

/// The three services as real processes with real sockets, started as `octavo up` starts them and restarted when they
/// end, on a database of their own.
package struct TestHouse: Sendable {
    private let house: House
    private let state: StateFolder

    /// The gateway's address.
    package var address: String { house.address }
    /// The folder of the sockets.
    package var runFolder: String { state.runFolder }

    /// The services' log so far.
    package var log: String {
        FileManager.default.contents(atPath: state.log).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Runs the services for as long as `body` takes.
    ///
    /// - Parameters:
    ///   - database: a connection string; nil for none.
    ///   - settings: what `octavo up` would find in its environment.
    package static func run<T: Sendable>(
        database: String?,
        settings: [String: String] = [:],
        _ body: (TestHouse) async throws -> T
    ) async throws -> T {
        var template = Array("/tmp/octavo-test-XXXXXX".utf8CString)
        guard let folder = mkdtemp(&template).map({ String(cString: $0) }) else {
            throw TestHouseError("mkdtemp failed")
        }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let state = StateFolder(path: folder)
        try FileManager.default.createDirectory(atPath: state.runFolder, withIntermediateDirectories: true)
        var settings = settings
        settings["OCTAVO_DRAIN_SECONDS"] = settings["OCTAVO_DRAIN_SECONDS"] ?? "5"
        let house = try House(
            state: state,
            programs: House.programs(),
            http: ListenSocket.bindTCP(name: "http", host: "127.0.0.1", port: 0),
            databaseURL: database,
            log: ServiceLog(state.log),
            settings: settings
        )
        let group = ServiceGroup(
            services: house.services,
            logger: Logger(label: "house") { _ in SwiftLogNoOpLogHandler() }
        )
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let test = TestHouse(house: house, state: state)
            let result: Result<T, any Error>
            do {
                result = .success(try await body(test))
            } catch {
                result = .failure(TestHouseError("\(error)\nlog of the services:\n\(test.log.suffix(4_000))"))
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return try result.get()
        }
    }

    /// Ends a service's process with SIGKILL; it is started again a second later.
    package func kill(_ service: String) {
        house.services.first { $0.name == service }?.process?.kill()
    }

    /// The process id of a service.
    package func processID(of service: String) -> Int32? {
        house.services.first { $0.name == service }?.process?.pid
    }

    /// Calls a service as an administrator.
    package func withAdmin<T: Sendable>(of service: String, _ body: (RPCClient) async throws -> T) async throws -> T {
        let path = "\(runFolder)/\(service)-admin.sock"
        return try await RPCClient.withConnection(path: path, role: .admin, name: service, body)
    }

    /// Returns when storage says it is ready.
    package func waitUntilReady() async throws {
        for _ in 0..<10_000 {
            let health = try? await withAdmin(of: "storage") { try await $0.perform(GetHealth()) }
            if health?.ready == true { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw TestHouseError("storage did not become ready")
    }
}

/// What a test is told when the house could not be had.
package struct TestHouseError: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
