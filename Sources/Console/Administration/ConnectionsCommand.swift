import ArgumentParser
import Contract
import Glibc
import RPC
import Wire

/// `octavo connections`.
struct ConnectionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connections",
        abstract: "Who is connected to the services.",
        discussion: """
              octavo connections storage

            The user and the process are by the kernel's word. This command's own connection is among them.
            """
    )

    @OptionGroup var services: ServiceNames
    @Flag(help: "One JSON document, an object by service, for scripts (protocol/every-service.md).") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let answers = await service.ask(services.all, ListConnections())
        try service.show(answers, json: json) { name, answer in
            let connections = try answer.decode(ListConnections.Result.self).connections
            Terminal.output.line(Terminal.output.styled(name.rawValue, .bold))
            Terminal.output.table(
                ["CONNECTION", "ROLE", "USER", "PID", "SINCE", "CALLS", "IN", "OUT"],
                connections.map {
                    [
                        $0.connection, $0.role.rawValue, user(UInt32(clamping: $0.uid)), "\($0.pid)",
                        Self.second($0.since), "\($0.calls)", Self.size($0.octetsIn), Self.size($0.octetsOut),
                    ]
                }
            )
        }
    }

    /// The user's name where this machine knows one.
    private func user(_ uid: UInt32) -> String {
        getpwuid(uid).map { String(cString: $0.pointee.pw_name) } ?? "\(uid)"
    }

    /// `2026-01-31 12:00:00`, in UTC.
    private static func second(_ time: String) -> String { String(time.prefix(19)).replacing("T", with: " ") }

    /// `812 B`, `12 KB`, `3.4 MB`.
    static func size(_ octets: Int) -> String {
        switch octets {
        case ..<1_000: "\(octets) B"
        case ..<1_000_000: "\(octets / 1_000) KB"
        case ..<1_000_000_000: "\(octets / 1_000_000).\(octets / 100_000 % 10) MB"
        default: "\(octets / 1_000_000_000).\(octets / 100_000_000 % 10) GB"
        }
    }
}

/// `octavo calls`.
struct CallsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calls",
        abstract: "The calls that the services are working on, the oldest first.",
        discussion: """
              octavo calls
              octavo calls agent-runner --json | jq -r '."agent-runner".calls[] | select(.age_ms > 60000) | .run'

            All that was done for a call has its trace in the journal: journalctl TRACE_ID=…
            """
    )

    @OptionGroup var services: ServiceNames
    @Flag(help: "One JSON document, an object by service, for scripts (protocol/every-service.md).") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let answers = await service.ask(services.all, ListCalls())
        try service.show(answers, json: json) { name, answer in
            let calls = try answer.decode(ListCalls.Result.self).calls
            Terminal.output.line(Terminal.output.styled(name.rawValue, .bold))
            Terminal.output.table(
                ["OPERATION", "AGE", "LEFT", "CALLER", "CALL", "TRACE", "RUN"],
                calls.map {
                    [
                        $0.operation, StatsCommand.time($0.ageMilliseconds * 1_000),
                        $0.deadlineMilliseconds.map { StatsCommand.time($0 * 1_000) } ?? "-", $0.role.rawValue,
                        "\($0.connection)/\($0.id)", $0.traceID, $0.run.map { "\($0)" } ?? "",
                    ]
                }
            )
        }
    }
}
