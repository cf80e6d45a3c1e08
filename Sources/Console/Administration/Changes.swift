import ArgumentParser
import Contract
import RPC
import Wire

/// `octavo log-level`.
struct LogLevelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log-level",
        abstract: "Have a service log more, or less, for a while.",
        discussion: """
              octavo log-level storage debug --for 10m --yes
              journalctl -u octavo-storage -f

            It falls back by itself to what OCTAVO_LOG says. Who asked for it is logged.
            """
    )

    @Argument(help: "gateway, agent-runner or storage.") var name: ServiceName
    @Argument(help: "trace, debug, info, notice, warning, error or critical.") var level: String
    @Option(name: .customLong("for"), help: ArgumentHelp("How long: 30s, 10m, up to 24h.", valueName: "time"))
    var time = Lifetime(minutes: 10)
    @OptionGroup var confirmation: Confirmation
    @Flag(help: "One JSON document, for scripts.") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        try confirmation.obtain("\(name.rawValue) will log from \(level) on for \(time.seconds) s.")
        let set = SetLogLevel(level: level, seconds: time.seconds)
        let done = try await service.withService(name.rawValue) {
            try await $0.json(set, deadline: ServiceOptions.patience)
        }
        if json { return Terminal.output.line(done.description) }
        let result = try done.decode(SetLogLevel.Result.self)
        Terminal.output.line(
            "\(name.rawValue) logs from \(result.level) on, and from \(result.usual) on after \(time.seconds) s."
        )
    }
}

/// `octavo drain`.
struct DrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Have a service take no new work and finish what it has, until octavo resume or its restart.",
        discussion: """
              octavo drain gateway --yes

            The gateway then answers 503 and says on /readyz that it is not ready; the agent runner and storage answer their \
            callers that they may try again. Drain in the order of the calls: the gateway, the agent runner, storage.
            """
    )

    @Argument(help: "gateway, agent-runner or storage.") var name: ServiceName
    @OptionGroup var confirmation: Confirmation
    @Flag(help: "One JSON document, for scripts.") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        try confirmation.obtain("\(name.rawValue) will turn away new work.")
        let done = try await service.withService(name.rawValue) {
            try await $0.json(DrainService(), deadline: ServiceOptions.patience)
        }
        if json { return Terminal.output.line(done.description) }
        let left = try done.decode(DrainService.Result.self).inFlight
        Terminal.output.line("\(name.rawValue) takes no new work; \(left) \(left == 1 ? "call" : "calls") in flight.")
    }
}

/// `octavo resume`.
struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Have a service take work again that was drained."
    )

    @Argument(help: "gateway, agent-runner or storage.") var name: ServiceName
    @OptionGroup var confirmation: Confirmation
    @Flag(help: "One JSON document, for scripts.") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        try confirmation.obtain("\(name.rawValue) will take new work.")
        let done = try await service.withService(name.rawValue) {
            try await $0.json(ResumeService(), deadline: ServiceOptions.patience)
        }
        Terminal.output.line(json ? done.description : "\(name.rawValue) takes work.")
    }
}

/// `octavo reload`.
struct ReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Have the services read their settings again, without losing a connection.",
        discussion: """
              octavo reload --yes
              octavo reload agent-runner --yes

            Read again are the file that OCTAVO_SETTINGS names, the credentials and the files of agents; those that --help of a service marks with * \
            count at once, others from its next start on. When one cannot be used the service keeps all it had, and this says \
            which. The same as SIGHUP, with an answer.
            """
    )

    @OptionGroup var services: ServiceNames
    @OptionGroup var confirmation: Confirmation
    @Flag(help: "One JSON document, an object by service, for scripts.") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let names = services.all.map(\.rawValue).joined(separator: ", ")
        try confirmation.obtain("Settings will be read again by \(names).")
        let answers = await service.ask(services.all, ReloadService())
        try service.show(answers, json: json) { name, answer in
            let result = try answer.decode(ReloadService.Result.self)
            let news = Self.news(result)
            let nothing = "read again; no setting\(result.agents == nil ? "" : " and no agent's file") has changed"
            let changed = news.isEmpty ? nothing : news.joined(separator: "; ")
            let later =
                result.needRestart.isEmpty
                ? "" : "; from its next start on: \(result.needRestart.joined(separator: ", "))"
            Terminal.output.line("\(name.rawValue.padded(to: 13)) \(changed)\(later)")
        }
    }

    private static func news(_ result: ReloadService.Result) -> [String] {
        [
            ("new", result.changed), ("agents added", result.agents?.added ?? []),
            ("agents changed", result.agents?.changed ?? []), ("agents removed", result.agents?.removed ?? []),
        ].compactMap { what, names in names.isEmpty ? nil : "\(what): \(names.joined(separator: ", "))" }
    }
}
