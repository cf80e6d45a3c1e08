import ArgumentParser
import Contract
import RPC
import Wire

/// `octavo health`.
struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Ask every service how it is, over its admin socket.",
        discussion: """
              octavo health
              octavo health --json | jq '.storage.ready'

            Exit code 0 when all are ready, 2 when one is not, 1 when one does not answer. Runs that wait for an agent which is not here, and \
            models that do not answer, are told of, and change nothing of that.

            With --json it is one object with a member for each of gateway, agent-runner and storage: what health answers in \
            protocol/every-service.md. A service that does not answer has "live":false, "ready":false and the "reasons".

            With --nagios it is one line with numbers, and the exit code is 0 when all are ready, 1 when one was drained by an \
            administrator or warns of something, 2 when one is not ready or does not answer, 3 when you may not ask:

              OCTAVO OK - gateway, agent-runner, storage ready | gateway_uptime=812s;;;0 gateway_calls=0;;;0 …
            """
    )

    private static let services = ["gateway", "agent-runner", "storage"]

    @Flag(help: "One JSON document, an object by service, for scripts.") var json = false
    @Flag(help: "One line and an exit code, as a plugin of Nagios, Icinga or Zabbix.") var nagios = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        if nagios { return try await check() }
        var code: Int32 = 0
        var members: [String] = []
        for name in Self.services {
            do {
                let answer = try await service.withService(name) { client in
                    try await client.json(GetHealth(), deadline: .seconds(2))
                }
                let health = try answer.decode(Health.self)
                if !health.ready, code == 0 { code = 2 }
                if json { members.append("\"\(name)\":\(answer)") } else { Terminal.output.line(line(health)) }
            } catch let error as Failure {
                code = 1
                let out = Terminal.output
                if json {
                    members.append("\"\(name)\":\(try Self.unreachable(name, error.description))")
                } else {
                    out.line("\(name.padded(to: 13)) \(out.styled("no answer", .red))  \(error)")
                }
            }
        }
        if json {
            Terminal.output.line("{\(members.joined(separator: ","))}")
        } else {
            let stranded = await service.strandedRuns()
            for words in stranded { Terminal.output.line("\(words).") }
            if !stranded.isEmpty { Terminal.output.line(AgentsHere.mend) }
        }
        if code != 0 { throw ExitCode(code) }
    }

    private func check() async throws {
        let answers = await service.ask(ServiceName.allCases, GetHealth())
        var services: [(name: String, health: Result<Health, Failure>)] = []
        for answer in answers {
            let health: Result<Health, Failure> =
                switch answer.result {
                case .success(let value): .success(try value.decode(Health.self))
                case .failure(let failure): .failure(failure)
                }
            services.append((answer.service.rawValue, health))
        }
        let result = Nagios(services)
        Terminal.output.line(result.line)
        if result.state != .ok { throw ExitCode(result.state.rawValue) }
    }

    private func line(_ health: Health) -> String {
        let out = Terminal.output
        let state = health.ready ? out.styled("ready", .green) : out.styled("not ready", .red)
        let why = health.reasons.isEmpty ? "" : "  " + health.reasons.joined(separator: "; ")
        let warned = (health.warnings ?? []).map { "  \(Terminal.oneLine($0))" }.joined()
        let gauges = health.gauges.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        let calls = health.inFlight == 1 ? "1 call in flight" : "\(health.inFlight) calls in flight"
        let details = ["up \(Self.uptime(health.uptimeMilliseconds / 1000))", calls] + gauges
        let first = "\(health.service.padded(to: 13)) \(state)\(why)"
        // Programs read a service a line.
        guard let width = out.width else { return "\(first)\(warned)  \(details.joined(separator: ", "))" }
        let margin = String(repeating: " ", count: 14)
        let warnings = (health.warnings ?? []).map { margin + out.styled(Terminal.oneLine($0), .yellow) }
        let lines = Self.lines(of: details, width: width - margin.count).map { margin + out.styled($0, .dim) }
        return ([first] + warnings + lines).joined(separator: "\n")
    }

    /// Words with commas between them, as many on a line as fit.
    static func lines(of words: [String], width: Int) -> [String] {
        var lines: [String] = []
        for (number, word) in words.enumerated() {
            let word = number + 1 == words.count ? word : word + ","
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(word)
            }
        }
        return lines
    }

    /// `7 s`, `3 min`, `5 h`, `12 d`: the largest unit that there is more than one of.
    static func uptime(_ seconds: Int) -> String {
        switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7_200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86_400) d"
        }
    }

    private static func unreachable(_ name: String, _ reason: String) throws -> JSON {
        struct Unreachable: Encodable {
            var service: String
            var live = false
            var ready = false
            var reasons: [String]
        }
        return try JSON(encoding: Unreachable(service: name, reasons: [reason]))
    }
}
