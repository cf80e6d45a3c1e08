import Contract

/// `octavo health --nagios`: one line and an exit code, as Nagios and its relatives ask of a plugin
/// (https://www.monitoring-plugins.org/doc/guidelines.html).
struct Nagios {
    /// The exit code and the word.
    enum State: Int32 {
        case ok = 0
        case warning = 1
        case critical = 2
        case unknown = 3
    }

    let state: State
    let line: String

    /// - Parameter services: what each said of itself, or why it did not.
    init(_ services: [(name: String, health: Result<Health, Failure>)]) {
        let findings = services.map { ($0.name, Self.finding($0.health)) }
        // Whoever may not ask knows nothing, whatever else there is.
        let isUnknown = findings.contains { $0.1.state == .unknown }
        state = isUnknown ? .unknown : findings.map(\.1.state).max { $0.rawValue < $1.rawValue } ?? .unknown
        let troubles = findings.filter { $0.1.state != .ok }.map { "\($0.0): \($0.1.why)" }
        let ready = services.map(\.name).joined(separator: ", ") + " ready"
        let text = troubles.isEmpty ? ready : troubles.joined(separator: "; ")
        let data = services.flatMap { name, health in Self.data(name, try? health.get()) }
        // Behind the bar are the numbers, and a line is all there is.
        let plain = String(text.map { $0 == "|" || $0.isNewline ? " " : $0 })
        line = "OCTAVO \("\(state)".uppercased()) - \(plain) | \(data.joined(separator: " "))"
    }

    private static func finding(_ health: Result<Health, Failure>) -> (state: State, why: String) {
        switch health {
        case .success(let health) where health.ready && health.warnings == nil: (.ok, "")
        case .success(let health) where health.ready:
            (.warning, (health.warnings ?? []).map(Terminal.oneLine).joined(separator: " "))
        case .success(let health) where health.reasons == [Health.drained]: (.warning, Health.drained)
        case .success(let health): (.critical, health.reasons.joined(separator: ", "))
        case .failure(let failure): (failure.isForbidden ? .unknown : .critical, failure.description)
        }
    }

    /// `label=value;warn;crit;min`.
    private static func data(_ name: String, _ health: Health?) -> [String] {
        guard let health else { return [] }
        let prefix = name.replacing("-", with: "_")
        let gauges = health.gauges.sorted { $0.key < $1.key }.map {
            "\(prefix)_\($0.key.replacing(".", with: "_"))=\($0.value);;;0"
        }
        return [
            "\(prefix)_uptime=\(health.uptimeMilliseconds / 1_000)s;;;0", "\(prefix)_calls=\(health.inFlight);;;0",
            "\(prefix)_connections=\(health.connections);;;0",
        ] + gauges
    }
}
