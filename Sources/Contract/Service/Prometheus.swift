/// Numbers of services in the text format of Prometheus, version 0.0.4.
///
/// Labels take their values from what is known beforehand (services, operations, codes, roles, rules), never from what
/// callers send, so that the number of series is bounded.
public struct Prometheus {
    /// What it is called over HTTP.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private var text = ""

    /// The numbers of services by name; nil for one that does not answer.
    /// - Parameters:
    ///   - asleep: those that were not asked, since they have ended for want of work until they are called.
    ///   - runs: those of the runs, where storage has told them.
    public static func text(
        _ services: [(name: String, stats: Stats?)],
        asleep: Set<String> = [],
        runs: GetRunMetrics.Result? = nil
    ) -> String {
        var prometheus = Prometheus()
        prometheus.write(services, asleep)
        if let runs { prometheus.write(runs) }
        return prometheus.text
    }

    private mutating func write(_ services: [(name: String, stats: Stats?)], _ asleep: Set<String>) {
        let known = services.compactMap { service in service.stats.map { (name: service.name, stats: $0) } }
        family("octavo_up", "gauge", "Whether the service answers, or would when it is called.")
        for service in services {
            let isUp = service.stats != nil || asleep.contains(service.name)
            sample("octavo_up", [("service", service.name)], isUp ? 1 : 0)
        }
        family("octavo_asleep", "gauge", "Whether the service has ended for want of work until it is called.")
        for service in services {
            sample("octavo_asleep", [("service", service.name)], asleep.contains(service.name) ? 1 : 0)
        }
        gauge(known, "octavo_ready", "Whether the service can do its work.") { $0.health.ready ? 1 : 0 }
        gauge(known, "octavo_draining", "Whether an administrator has it take no new work.") { $0.isDraining ? 1 : 0 }
        family("octavo_build_info", "gauge", "The version that runs, as a label.")
        for (name, stats) in known {
            sample("octavo_build_info", [("service", name), ("version", stats.health.version)], 1)
        }
        family("octavo_uptime_seconds", "gauge", "Seconds since the process started.")
        for (name, stats) in known {
            let uptime = Self.seconds(microseconds: stats.health.uptimeMilliseconds * 1_000)
            sample("octavo_uptime_seconds", [("service", name)], uptime)
        }
        gauge(known, "octavo_calls_in_flight", "Calls and requests being worked on.") { $0.health.inFlight }
        labelled(known, "octavo_connections", "gauge", "Open connections by role.", "role", \.connections)
        labelled(known, "octavo_protocol_violations_total", "counter", "Broken rules.", "rule", \.violations)
        calls(known)
        durations(known)
        gauges(known)
    }

    private mutating func calls(_ services: [(name: String, stats: Stats)]) {
        family("octavo_calls_total", "counter", "Calls and requests answered, by operation and code.")
        for (name, stats) in services {
            for operation in stats.operations {
                let labels = [("service", name), ("operation", operation.name)]
                if operation.succeeded > 0 {
                    sample("octavo_calls_total", labels + [("code", "ok")], operation.succeeded)
                }
                for (code, count) in operation.failed.sorted(by: { $0.key < $1.key }) {
                    sample("octavo_calls_total", labels + [("code", code)], count)
                }
            }
        }
    }

    private mutating func durations(_ services: [(name: String, stats: Stats)]) {
        let family = "octavo_call_duration_seconds"
        self.family(family, "histogram", "How long calls and requests took.")
        for (name, stats) in services {
            for operation in stats.operations where !operation.buckets.isEmpty {
                let labels = [("service", name), ("operation", operation.name)]
                histogram(family, labels, stats.bounds, operation.buckets, microseconds: operation.microseconds)
            }
        }
    }

    private mutating func write(_ runs: GetRunMetrics.Result) {
        let agents = runs.agents.sorted { $0.key < $1.key }
        family("octavo_run_states", "gauge", "Runs that are under way, over all hosts.")
        for (agent, counts) in agents {
            for (state, count) in counts.underWay.sorted(by: { $0.key < $1.key }) {
                sample("octavo_run_states", [("agent", agent), ("state", state)], count)
            }
        }
        family("octavo_runs_ended_total", "counter", "Runs that have ended here, by how they ended.")
        for (agent, counts) in agents {
            for (state, count) in counts.ended.sorted(by: { $0.key < $1.key }) {
                sample("octavo_runs_ended_total", [("agent", agent), ("state", state)], count)
            }
        }
        let families = [
            (
                "octavo_run_duration_seconds", "From the acceptance of runs to their end.",
                \GetRunMetrics.Agent.durations
            ),
            (
                "octavo_run_pickup_seconds", "How long runs waited for a runner since they fell due.",
                \GetRunMetrics.Agent.pickups
            ),
        ]
        for (name, help, path) in families {
            family(name, "histogram", help)
            for (agent, counts) in agents {
                let times = counts[keyPath: path]
                histogram(name, [("agent", agent)], runs.bounds, times.buckets, microseconds: times.microseconds)
            }
        }
        family("octavo_outbox_messages", "gauge", "Messages to the outside that were not taken yet, or given up.")
        for state in ["queued", "sending", "unknown", "dead"] {
            sample("octavo_outbox_messages", [("state", state)], runs.outbox[state, default: 0])
        }
    }

    /// Numbers of the services' own; broken rules are counted above.
    private mutating func gauges(_ services: [(name: String, stats: Stats)]) {
        let names = Set(services.flatMap(\.stats.health.gauges.keys)).filter { !$0.hasPrefix("violations") }
        for gauge in names.sorted() {
            let isCounter = Health.counters.contains(gauge)
            let own = String(gauge.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
            let name = "octavo_\(own)\(isCounter ? "_total" : "")"
            family(name, isCounter ? "counter" : "gauge", "\(gauge), as health has it.")
            for (service, stats) in services {
                if let value = stats.health.gauges[gauge] { sample(name, [("service", service)], value) }
            }
        }
    }

    private mutating func gauge(
        _ services: [(name: String, stats: Stats)],
        _ name: String,
        _ help: String,
        _ value: (Stats) -> Int
    ) {
        family(name, "gauge", help)
        for (service, stats) in services { sample(name, [("service", service)], value(stats)) }
    }

    private mutating func labelled(
        _ services: [(name: String, stats: Stats)],
        _ name: String,
        _ type: String,
        _ help: String,
        _ label: String,
        _ values: (Stats) -> [String: Int]
    ) {
        family(name, type, help)
        for (service, stats) in services {
            for (key, value) in values(stats).sorted(by: { $0.key < $1.key }) {
                sample(name, [("service", service), (label, key)], value)
            }
        }
    }

    // MARK: Lines

    private mutating func histogram(
        _ family: String,
        _ labels: [(String, String)],
        _ bounds: [Int],
        _ buckets: [Int],
        microseconds: Int
    ) {
        var count = 0
        for (bound, bucket) in zip(bounds.map(Self.seconds) + ["+Inf"], buckets) {
            count += bucket
            sample("\(family)_bucket", labels + [("le", bound)], count)
        }
        sample("\(family)_sum", labels, Self.seconds(microseconds: microseconds))
        sample("\(family)_count", labels, count)
    }

    private mutating func family(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    private mutating func sample(_ name: String, _ labels: [(String, String)], _ value: some CustomStringConvertible) {
        let labels = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
        text += "\(name){\(labels)} \(value)\n"
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    /// `0.0025`: exact, where a floating-point number would be nearly so.
    static func seconds(microseconds: Int) -> String {
        let (whole, part) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        guard part != 0 else { return "\(whole)" }
        var digits = String(String(1_000_000 + part).dropFirst())
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(whole).\(digits)"
    }
}
