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

            Exit code 0 when all are ready, 2 when one is not, 1 when one does not answer.

            With --json it is one object with a member for each of gateway, agent-runner and storage: what health answers in \
            protocol/every-service.md. A service that does not answer has "live":false, "ready":false and the "reasons".
            """
    )

    private static let services = ["gateway", "agent-runner", "storage"]

    @Flag(help: "One JSON document, an object by service, for scripts.") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
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
        if json { Terminal.output.line("{\(members.joined(separator: ","))}") }
        if code != 0 { throw ExitCode(code) }
    }

    private func line(_ health: Health) -> String {
        let out = Terminal.output
        let state = health.ready ? out.styled("ready", .green) : out.styled("not ready", .red)
        let why = health.reasons.isEmpty ? "" : "  " + health.reasons.joined(separator: "; ")
        let gauges = health.gauges.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        let calls = health.inFlight == 1 ? "1 call in flight" : "\(health.inFlight) calls in flight"
        let details = (["up \(Self.uptime(health.uptimeMilliseconds / 1000))", calls] + gauges).joined(separator: ", ")
        return "\(health.service.padded(to: 13)) \(state)\(why)  \(out.styled(details, .dim))"
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
