import Configuration
import Daemon
import Dispatch
import FoundationEssentials
import Glibc
import Logging
import ServiceLifecycle
import Synchronization
import Systemd

/// A daemon that does nothing but show how a daemon lives: it greets every connection with the name of the socket,
/// and misbehaves on request.
@main
struct ActivationProbe {
    static func main() async {
        let description = DaemonDescription(
            name: "activation-probe",
            version: "1.0",
            summary: "shows how a daemon lives.",
            sockets: [.required("gateway", "greets"), .optional("admin", "greets")],
            variables: [
                .required("PROBE_WORD", "what is greeted with"),
                .live("PROBE_TONE", "what the greeting ends with"),
                .optional("PROBE_BEHAVIOUR", "one of the cases of Behaviour"),
            ],
            credentials: [.optional("probe-secret", "never shown")]
        )
        await Daemon.run(description) { context in
            let behaviour = Behaviour(rawValue: context.config.string(forKey: "probe.behaviour", default: "polite"))
            let word = try context.config.requiredString(forKey: "probe.word")
            switch behaviour {
            case .unknownError: throw Broken()
            case .stuckWatchdog: context.watch { try await Task.sleep(for: .seconds(3600)) }
            default: break
            }
            let armed = context.announce("gateway")
            let tone = Tone()
            context.describe { "probing" }
            context.onReload { config in
                let word = config.string(forKey: "probe.tone", default: "")
                guard word != "bad" else { throw ConfigurationError("PROBE_TONE is bad.") }
                return { tone.word.withLock { $0 = word } }
            }
            context.logger.notice(
                "composed",
                metadata: [
                    "word": "\(word)",
                    "secret_bytes": "\(context.config.string(forKey: "probe.secret", default: "").utf8.count)",
                    "listen_variables": "\(inheritedVariables())",
                ]
            )
            return [
                Greeter(
                    word: word,
                    tone: tone,
                    sockets: context.listeners,
                    behaviour: behaviour ?? .polite,
                    armed: armed
                )
            ]
        }
    }

    private static func inheritedVariables() -> Int {
        ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_USEC"].count { (name: String) in getenv(name) != nil }
    }
}

enum Behaviour: String {
    case polite
    /// Ignores the graceful shutdown, heeds the cancellation.
    case slowDrain
    /// Ignores both, and holds a thread of the pool.
    case stubborn
    case unknownError
    case failingService
    case stuckWatchdog
    /// Starts a child of its own and is killed.
    case spawnAndDie
}

struct Broken: Error, CustomStringConvertible {
    var description: String { "the composition broke\nactivation-probe: a forged line" }
}

/// What can change while the daemon runs.
final class Tone: Sendable {
    let word = Mutex("")
}

struct Greeter: Service {
    let word: String
    let tone: Tone
    let sockets: [ListenSocket]
    let behaviour: Behaviour
    let armed: @Sendable () -> Void

    func run() async throws {
        for socket in sockets {
            // A thread a socket: what is tested is how the socket came here, not how fast it is served.
            DispatchQueue(label: socket.name).async { greet(on: socket) }
        }
        armed()
        switch behaviour {
        case .failingService: throw Broken()
        case .slowDrain: try await Task.sleep(for: .seconds(3600))
        case .stubborn:
            try await gracefulShutdown()
            sleep(3600)
        case .spawnAndDie:
            var launch = ChildProcess.Launch(path: "/bin/sleep")
            launch.arguments = ["3600"]
            let grandchild = try ChildProcess(launch)
            let said = "grandchild \(grandchild.pid)\n"
            _ = said.withCString { write(STDOUT_FILENO, $0, strlen($0)) }
            raise(SIGKILL)
        default: try await gracefulShutdown()
        }
    }

    private func greet(on socket: ListenSocket) {
        while true {
            var waiting = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, -1) > 0 else { return }
            let connection = accept(socket.descriptor, nil, nil)
            guard connection >= 0 else { continue }
            let words = [socket.name, word, tone.word.withLock { $0 }, "\(getpid())"]
            let greeting = words.filter { !$0.isEmpty }.joined(separator: " ") + "\n"
            _ = greeting.withCString { write(connection, $0, strlen($0)) }
            close(connection)
        }
    }
}
