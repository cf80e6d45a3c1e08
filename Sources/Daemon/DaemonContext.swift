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
    /// The least level that is logged.
    public let logThreshold: LogThreshold
    /// Reads the settings again.
    public let reload: Reload
    /// Ends the daemon when it has nothing to do, where it is told what that means.
    public let idleExit: IdleExit

    let readiness: Readiness
    let probes: Probes
    let status: StatusLine

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

    /// Has `systemctl status` show what the daemon does, in one line without secrets: everybody can read it.
    public func describe(_ status: @escaping @Sendable () -> String) {
        self.status.describe(status)
    }

    /// Adds somebody who takes other settings while the process runs. Call it while composing. The variables have to be
    /// ``DaemonDescription/Entry/live(_:_:)`` in the description.
    public func onReload(_ step: @escaping Reload.Step) {
        reload.add(step)
    }

    init(
        name: String,
        config: ConfigReader,
        logger: Logger,
        notifier: Notifier,
        listeners: [ListenSocket],
        logThreshold: LogThreshold,
        reload: Reload,
        status: StatusLine
    ) {
        self.name = name
        self.config = config
        self.logger = logger
        self.notifier = notifier
        self.listeners = listeners
        self.logThreshold = logThreshold
        self.reload = reload
        self.status = status
        self.idleExit = IdleExit(notifier: notifier, status: status, logger: logger)
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

extension DaemonContext {
    /// The context of a process that was told this.
    init(
        _ description: DaemonDescription,
        _ settings: Settings,
        _ threshold: LogThreshold,
        _ listeners: [ListenSocket],
        readAgain: @escaping @Sendable () throws(ConfigurationError) -> Settings
    ) {
        let (logger, notifier) = (Logger(label: description.name), Notifier())
        let status = StatusLine(notifier: notifier)
        self.init(
            name: description.name,
            config: settings.reader,
            logger: logger,
            notifier: notifier,
            listeners: listeners,
            logThreshold: threshold,
            reload: Reload(
                description,
                settings: settings,
                threshold: threshold,
                status: status,
                notifier: notifier,
                logger: logger,
                read: readAgain
            ),
            status: status
        )
    }
}
