internal import FoundationEssentials
internal import Glibc
internal import Logging
public import ServiceLifecycle
internal import Systemd

/// How a process lives: started by systemd (or by `octavo up`, which acts like it), stopped by SIGTERM.
public enum Daemon {
    /// Runs a daemon until it is told to stop, then exits the process.
    ///
    /// In order: `--help` and `--version`; sockets, watchdog and environment are taken; logging begins; `compose`
    /// builds the services from the context; they run in one `ServiceGroup`, and the process ends at once when there are
    /// none. READY=1 is sent once everything announced with ``DaemonContext/announce(_:)`` is armed. SIGTERM or SIGINT
    /// sends STOPPING=1 and begins the graceful shutdown, last service first; after `OCTAVO_DRAIN_SECONDS` (30) what still
    /// runs is cancelled, and five seconds later the process ends whatever happens. A second signal ends it at once.
    ///
    /// An error while starting is one sentence on standard error, and exit code 78 when it is about configuration
    /// (``ConfigurationError``, or a value swift-configuration did not find), else 1.
    public static func run(
        _ description: DaemonDescription,
        compose: (DaemonContext) async throws -> [any Service]
    ) async -> Never {
        answerArguments(CommandLine.arguments.dropFirst(), description)
        do {
            try await live(description, compose)
            exit(0)
        } catch {
            let configuration = ConfigurationError(from: error)
            say("\(description.name): \(configuration?.description ?? "\(error)")")
            exit(configuration == nil ? 1 : 78)
        }
    }

    private static func live(
        _ description: DaemonDescription,
        _ compose: (DaemonContext) async throws -> [any Service]
    ) async throws {
        // A client that hangs up while we write is an error of that write (EPIPE), not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        OpenFiles.allowAll()
        // Both change the environment; nothing else runs yet.
        let sockets = try ListenSockets.take()
        let watchdogTimeout = Watchdog.takeTimeout()

        let secrets = Set(description.credentials.map { Settings.variable(for: $0.name) })
        let environment = ProcessInfo.processInfo.environment
        let settings = try Settings(environment: environment, secrets: secrets)
        let lifetime = try Lifetime(settings)
        let threshold = LogThreshold(lifetime.logLevel)
        LogDestination(journalStream: settings.values["JOURNAL_STREAM"]).bootstrap(
            name: description.name,
            threshold: threshold
        )
        try description.check(sockets)

        let context = DaemonContext(description, settings, threshold, sockets) { () throws(ConfigurationError) in
            // The environment of a process does not change; the files beside it do.
            try Settings(environment: environment, secrets: secrets)
        }
        context.notifier.status("starting")
        // Until here, and while composing, a SIGTERM has its default effect: nothing was accepted yet.
        let composed = try await compose(context)
        // A daemon that was started for one piece of work has done it then.
        guard !composed.isEmpty else { return }
        var services: [any Service] = [IdleMemory(), context.status, context.idleExit] + composed
        if let watchdogTimeout {
            // First in the list is last to stop.
            let watchdog = Watchdog(timeout: watchdogTimeout, notifier: context.notifier) { [probes = context.probes] in
                try await probes.run()
            }
            services.insert(watchdog, at: 0)
        }
        try await serve(services, context, drain: lifetime.drain)
    }

    private static func serve(_ services: [any Service], _ context: DaemonContext, drain: Duration) async throws {
        var configuration = ServiceGroupConfiguration(
            services: services.map { service in
                // The one that returns when all is well.
                service is IdleExit
                    ? .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)
                    : .init(service: service)
            },
            logger: context.logger
        )
        configuration.maximumGracefulShutdownDuration = drain
        let group = ServiceGroup(configuration: configuration)

        let signals = StopSignals(patience: drain + Lifetime.cancellation) { signal in
            context.status.stop()
            context.notifier.stop()
            // Where the units allow less than the drain was set to; counted from now.
            context.notifier.extendTimeout(by: drain + Lifetime.cancellation + .seconds(5))
            context.notifier.status("stopping; draining for at most \(drain.components.seconds) s")
            context.logger.notice("stopping", metadata: ["signal": "\(signal)"])
        }
        await signals.install()
        let hangUp = ReloadSignal { _ = try? context.reload.run() }
        await hangUp.install()
        for socket in context.listeners {
            context.logger.info("listening", metadata: ["socket": "\(socket.name)", "at": "\(socket.kind)"])
        }
        context.readiness.seal()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                for await _ in signals.first { await group.triggerGracefulShutdown() }
            }
            defer { tasks.cancelAll() }
            do {
                try await group.run()
            } catch is CancellationError where signals.wasReceived || context.idleExit.hasEnded {
                // A service that was cut off says so; that is how a long drain ends, not a failure of the daemon.
                context.logger.warning("drain took too long; what still ran was cut off")
            }
        }
        context.logger.notice("stopped")
    }

    private static func answerArguments(_ arguments: ArraySlice<String>, _ description: DaemonDescription) {
        switch (arguments.first, arguments.count) {
        case (nil, _): return
        case ("--help", 1), ("-h", 1): print(description.help, terminator: "")
        case ("--version", 1): print(description.name, description.version)
        default:
            say("\(description.name): it takes no arguments; settings are variables, see --help.")
            exit(EX_USAGE)
        }
        exit(0)
    }

    /// One line on standard error; the journal takes the priority from the prefix (sd-daemon(3)).
    private static func say(_ sentence: String) {
        let journal = getenv("JOURNAL_STREAM") != nil ? "<3>" : ""
        LineSink.standardError.write(journal + sentence.escapedForLog() + "\n")
    }
}

/// The two settings every daemon has.
struct Lifetime: Sendable, Equatable {
    /// What cancelled services get to clean up. Drain and this together stay below `TimeoutStopSec=40s` of the units.
    static let cancellation = Duration.seconds(5)

    let logLevel: Logger.Level
    let drain: Duration

    init(_ settings: Settings) throws(ConfigurationError) {
        let level = settings.values["OCTAVO_LOG"] ?? Logger.Level.info.rawValue
        guard let logLevel = Logger.Level(rawValue: level.lowercased()) else {
            let known = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw ConfigurationError("OCTAVO_LOG is \"\(level)\"; it has to be one of \(known).")
        }
        let seconds = settings.values["OCTAVO_DRAIN_SECONDS"] ?? "30"
        guard let seconds = Int(seconds), (1...3600).contains(seconds) else {
            throw ConfigurationError("OCTAVO_DRAIN_SECONDS is \"\(seconds)\"; it has to be a number from 1 to 3600.")
        }
        self.logLevel = logLevel
        self.drain = .seconds(seconds)
    }
}

extension DaemonDescription {
    /// Refuses sockets nobody would serve: their clients would wait for ever.
    func check(_ passed: [ListenSocket]) throws(ConfigurationError) {
        let known = sockets.map(\.name)
        if let stranger = passed.first(where: { !known.contains($0.name) }) {
            throw ConfigurationError(
                "\(name) was passed a socket named \"\(stranger.name)\" (\(stranger.kind)); it serves "
                    + "\(known.joined(separator: ", ")). Set FileDescriptorName= in the socket unit."
            )
        }
        let missing = sockets.filter { socket in socket.isRequired && !passed.contains { $0.name == socket.name } }
        guard missing.isEmpty else {
            throw ConfigurationError(
                "\(name) was not passed the socket \(missing.map { "\"\($0.name)\"" }.joined(separator: ", ")). "
                    + "It is started by systemd (systemctl start octavo.target) or by `octavo up`, not by itself."
            )
        }
    }
}
