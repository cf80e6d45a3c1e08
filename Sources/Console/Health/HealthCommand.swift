import ArgumentParser
import Contract
import RPC
import Wire

/// `octavo health`.
struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Ask every service how it is, over its admin socket.",
        discussion: "Exit code 0 when all are ready, 2 when one is not, 1 when one does not answer."
    )

    private static let services = ["gateway", "agent-runner", "storage"]

    @Flag(help: "One JSON document a service, for scripts.") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        var code: Int32 = 0
        for name in Self.services {
            do {
                let answer = try await service.withService(name) { client in
                    try await client.json(GetHealth(), deadline: .seconds(2))
                }
                let health = try answer.decode(Health.self)
                if !health.ready, code == 0 { code = 2 }
                Terminal.output.line(json ? answer.description : line(health))
            } catch {
                code = 1
                let out = Terminal.output
                out.line(
                    json
                        ? Self.unreachable(name, "\(error)")
                        : "\(name.padded(to: 13)) \(out.styled("no answer", .red))  \(error)"
                )
            }
        }
        if code != 0 { throw ExitCode(code) }
    }

    private func line(_ health: Health) -> String {
        let out = Terminal.output
        let state = health.ready ? out.styled("ready", .green) : out.styled("not ready", .red)
        let why = health.reasons.isEmpty ? "" : "  " + health.reasons.joined(separator: "; ")
        let gauges = health.gauges.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        let uptime = "up \(health.uptimeMilliseconds / 1000) s, \(health.inFlight) calls in flight"
        return
            "\(health.service.padded(to: 13)) \(state)\(why)  \(out.styled("\(uptime)\(gauges.isEmpty ? "" : ", " + gauges)", .dim))"
    }

    private static func unreachable(_ name: String, _ reason: String) -> String {
        struct Unreachable: Encodable {
            var service: String
            var live = false
            var reasons: [String]
        }
        return (try? JSON(encoding: Unreachable(service: name, reasons: [reason])).description) ?? "{}"
    }
}
