public import Configuration
public import Logging
internal import Synchronization
public import Systemd

/// What a daemon's composition is given.
public struct DaemonContext: Sendable {
    /// The daemon's name.
    public let name: String
    /// Settings: environment variables, and credentials marked as secrets.
    public let config: ConfigReader
    /// The daemon's own logger.
    public let logger: Logger
    /// Tells systemd the status; READY=1, STOPPING=1 and WATCHDOG=1 are said by the daemon itself.
    public let notifier: Notifier
    /// Every socket that was passed, with names the description knows.
    public let listeners: [ListenSocket]

    let readiness: Readiness
    let probes: Probes

    /// The one socket of that name.
    ///
    /// - Throws: ``ConfigurationError`` when there is none, or more than one.
    public func listener(named name: String) throws(ConfigurationError) -> ListenSocket {
        let found = listeners(named: name)
        guard let socket = found.first, found.count == 1 else {
            throw ConfigurationError(
                "\(self.name) needs one socket named \"\(name)\" and was passed \(found.count): "
                    + "look at FileDescriptorName= in its socket units."
            )
        }
        return socket
    }

    /// Every socket of that name, perhaps none: a socket unit with two `ListenStream=` passes two.
    public func listeners(named name: String) -> [ListenSocket] {
        listeners.filter { $0.name == name }
    }

    /// Makes READY=1 wait until the returned closure is called, when the listener accepts connections. Call it while
    /// composing, never later.
    public func announce(_ listener: String) -> @Sendable () -> Void {
        readiness.announce(listener)
    }

    /// Adds a way the watchdog's token must travel, for example through the queue of a connection pool. A probe that
    /// hangs has systemd restart the daemon, so it may not wait for anything outside the process.
    public func watch(_ probe: @escaping @Sendable () async throws -> Void) {
        probes.add(probe)
    }

    init(
        name: String,
        config: ConfigReader,
        logger: Logger,
        notifier: Notifier,
        listeners: [ListenSocket]
    ) {
        self.name = name
        self.config = config
        self.logger = logger
        self.notifier = notifier
        self.listeners = listeners
        self.readiness = Readiness(notifier: notifier)
        self.probes = Probes()
    }
}

/// The ways the watchdog's token travels, one after the other.
final class Probes: Sendable {
    private let all = Mutex<[@Sendable () async throws -> Void]>([])

    func add(_ probe: @escaping @Sendable () async throws -> Void) {
        all.withLock { $0.append(probe) }
    }

    func run() async throws {
        for probe in all.withLock({ $0 }) { try await probe() }
    }
}
