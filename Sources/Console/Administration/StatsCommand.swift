import ArgumentParser
import Contract
import RPC
import Wire

/// `octavo stats`.
struct StatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "What the services have done since they started: calls, errors, how long they took, pools.",
        discussion: """
              octavo stats
              octavo stats storage --json | jq '.storage.operations[] | select(.failed != {})'

            For node_exporter's textfile collector, from a timer:

              octavo stats --prometheus > /var/lib/prometheus/node-exporter/octavo.new &&
                mv /var/lib/prometheus/node-exporter/octavo.new /var/lib/prometheus/node-exporter/octavo.prom

            Prometheus can also ask the gateway itself: GET /metrics (protocol/gateway.md).

            The column 95% is the bound below which so many of the calls stayed.
            """
    )

    @OptionGroup var services: ServiceNames
    @Flag(help: "One JSON document, an object by service, for scripts (protocol/every-service.md).") var json = false
    @Flag(help: "Prometheus' text format. A service that does not answer is octavo_up 0.") var prometheus = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let answers = await service.ask(services.all, GetStats())
        if prometheus { return try await write(answers) }
        try service.show(answers, json: json) { name, answer in Self.show(name, try answer.decode(Stats.self)) }
    }

    private func write(_ answers: [Answer<JSON>]) async throws {
        // Whoever may not ask must not say that nothing is up.
        for case .failure(let failure) in answers.map(\.result) where failure.isForbidden { throw failure }
        let stats = answers.map { (name: $0.service.rawValue, stats: try? $0.result.get().decode(Stats.self)) }
        let runs = try? await service.withService("storage") { try await $0.perform(GetRunMetrics()) }
        Terminal.output.write(Prometheus.text(stats, runs: runs))
    }

    private static func show(_ name: ServiceName, _ stats: Stats) {
        let out = Terminal.output
        let health = stats.health
        let state = stats.isDraining ? "draining" : health.ready ? "ready" : "not ready"
        let gauges = health.gauges.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        let facts = ["up \(HealthCommand.uptime(health.uptimeMilliseconds / 1_000))", "log \(stats.logLevel)"] + gauges
        out.line("\(out.styled(name.rawValue, .bold)) \(state)  \(out.styled(facts.joined(separator: ", "), .dim))")
        out.table(
            ["OPERATION", "CALLS", "FAILED", "MEAN", "95%", "ERRORS"],
            stats.operations.map { operation in
                let failed = operation.failed.values.reduce(0, +)
                let measured = operation.buckets.reduce(0, +)
                return [
                    operation.name, "\(operation.succeeded + failed)", "\(failed)",
                    measured == 0 ? "-" : time(operation.microseconds / measured),
                    percentile(operation, of: measured, bounds: stats.bounds),
                    operation.failed.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "),
                ]
            }
        )
    }

    /// The bound of the bucket in which the 95th of a hundred calls lies.
    static func percentile(_ operation: Stats.Operation, of measured: Int, bounds: [Int]) -> String {
        guard measured > 0 else { return "-" }
        var count = 0
        for (index, bucket) in operation.buckets.enumerated() {
            count += bucket
            guard count * 100 >= measured * 95 else { continue }
            return index < bounds.count ? "≤ \(time(bounds[index]))" : "> \(time(bounds.last ?? 0))"
        }
        return "-"
    }

    /// `80 µs`, `2.5 ms`, `12 ms`, `1.2 s`.
    static func time(_ microseconds: Int) -> String {
        switch microseconds {
        case ..<1_000: "\(microseconds) µs"
        case ..<10_000: "\(microseconds / 1_000).\(microseconds / 100 % 10) ms"
        case ..<1_000_000: "\(microseconds / 1_000) ms"
        default: "\(microseconds / 1_000_000).\(microseconds / 100_000 % 10) s"
        }
    }
}
