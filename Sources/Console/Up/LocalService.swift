package import Daemon
import Glibc
import ServiceLifecycle
import Synchronization
import Systemd

/// A service on this machine, started as systemd starts it: with its listening sockets handed over, and again when it has
/// ended. The sockets stay open meanwhile, so that whoever connects waits and is not refused.
package final class LocalService: Service {
    /// From a service's end to its next start, as `RestartSec=` of the units.
    private static let restartPause = Duration.seconds(1)
    /// Between two looks whether somebody calls a service that has ended for want of work.
    private static let look = Duration.milliseconds(20)
    /// EX_CONFIG: it will not start with these settings, however often it is tried.
    private static let configurationExit: CInt = 78

    private enum State {
        case down
        case running(ChildProcess)
        case stopping
    }

    package let name: String
    private let launch: ChildProcess.Launch
    /// Held, so that its descriptor stays open for as long as the service may be started.
    private let log: ServiceLog
    private let state = Mutex(State.down)

    init(
        _ name: String,
        in programs: String,
        sockets: [ListenSocket],
        environment: [String: String],
        log: ServiceLog
    ) {
        self.name = name
        self.log = log
        var launch = ChildProcess.Launch(path: "\(programs)/\(name)")
        launch.environment = environment
        launch.sockets = sockets
        // An octavo up that was killed stops nothing in order; the next one finds its sockets and its port free.
        launch.deathSignal = SIGKILL
        launch.standardOutput = log.descriptor
        launch.standardError = log.descriptor
        self.launch = launch
    }

    package func run() async throws {
        try await withGracefulShutdownHandler {
            while let child = try start() {
                let exit = try await wait(for: child)
                if isStopping { return }
                if exit == .code(0) {
                    // It had nothing to do. As systemd does, it is started again when somebody connects.
                    try? await cancelWhenGracefulShutdown { try await self.untilCalled() }
                    continue
                }
                if exit == .code(Self.configurationExit) {
                    throw Failure("\(name) does not start with these settings; the end of \(log.path) says why.")
                }
                Terminal.error.notice("\(name) ended (\(exit)); starting it again. Its log: \(log.path)")
                try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.restartPause) }
            }
        } onGracefulShutdown: {
            let child = self.state.withLock { state in
                defer { state = .stopping }
                return if case .running(let child) = state { child } else { nil as ChildProcess? }
            }
            child?.terminate()
        }
    }

    /// The sockets that are handed over.
    var sockets: [ListenSocket] { launch.sockets }

    /// The process as it runs now.
    package var process: ChildProcess? {
        state.withLock { if case .running(let child) = $0 { child } else { nil } }
    }

    /// Nil when it is to stop. The start and the note of it are one step, so that a stop finds every child there is.
    private func start() throws -> ChildProcess? {
        try state.withLock { state in
            if case .stopping = state { return nil }
            do throws(ChildProcessError) {
                let child = try ChildProcess(launch)
                state = .running(child)
                return child
            } catch {
                let reason = error.errno == 0 ? error.description : String(cString: strerror(error.errno))
                throw Failure(
                    "\(launch.path) cannot be run: \(reason). Build Octavo for this machine: swift build -c release"
                )
            }
        }
    }

    private func wait(for child: ChildProcess) async throws -> ChildProcess.Exit {
        do {
            return try await child.waitForExit()
        } catch {
            // Stopping took too long for whoever is in charge.
            child.kill()
            throw error
        }
    }

    /// Returns when a connection waits on one of the sockets.
    private func untilCalled() async throws {
        state.withLock { if case .running = $0 { $0 = .down } }
        while !Task.isCancelled {
            var waiting = sockets.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
            if poll(&waiting, nfds_t(waiting.count), 0) > 0 { return }
            try await Task.sleep(for: Self.look)
        }
    }

    private var isStopping: Bool {
        state.withLock { if case .stopping = $0 { true } else { false } }
    }
}

/// The file all services write their log to.
package final class ServiceLog: Sendable {
    /// A longer file is put aside before it is opened, in place of the one put aside before.
    private static let mostBytes = 10_000_000

    package let path: String
    let descriptor: CInt

    package init(_ path: String) throws {
        self.path = path
        var status = stat()
        if stat(path, &status) == 0, status.st_size > Self.mostBytes { rename(path, path + ".old") }
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StateFolder.unusable(path, errno) }
    }

    deinit {
        close(descriptor)
    }
}
