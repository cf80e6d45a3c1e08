import Glibc
import Traces

/// Spans go where a service can bring them, and all services keep them or none: else a trace has holes.
struct TracesCheck: DoctorCheck {
    let subject = "traces"

    func findings(on host: Host) async throws -> [Finding] {
        var keeping: [String] = []
        var problems: [Finding] = []
        for service in Host.services {
            guard let setting = Self.setting(of: service, on: host) else { continue }
            keeping.append(service)
            do throws(TraceTarget.Refusal) {
                problems += look(at: try TraceTarget(setting, logs: "/var/log/\(service)"), of: service, on: host)
            } catch {
                problems.append(wrong("\(service): \(error)", mend: "Edit \(Self.file(of: service))"))
            }
        }
        if !keeping.isEmpty, keeping.count < Host.services.count {
            let missing = Host.services.filter { !keeping.contains($0) }
            problems.append(
                wrong(
                    "\(keeping.joined(separator: ", ")) keeps spans, \(missing.joined(separator: ", ")) keeps none",
                    mend: "Set OCTAVO_TRACES in \(missing.map(Self.file).joined(separator: ", ")) too"
                )
            )
        }
        return sum(problems, good: keeping.isEmpty ? "no spans are kept" : "every service keeps spans")
    }

    private func look(at target: TraceTarget, of service: String, on host: Host) -> [Finding] {
        switch target {
        // Elsewhere the sandbox lets it write nothing.
        case .folder(let folder) where folder != "/var/log/\(service)" && !folder.hasPrefix("/var/log/\(service)/"):
            return [wrong("\(service) may not write to \(folder)", mend: "Set OCTAVO_TRACES=file: /var/log/\(service)")]
        case .socket(let path) where !host.exists(path):
            return [wrong("\(service): there is no socket \(path)", mend: "Start the collector, or name its socket")]
        case .http where service != "octavo-agent-runner":
            let mend = "Set OCTAVO_TRACES=file or unix:/SOCKET: it has no network, not even this machine's"
            return [wrong("\(service) reaches no collector over HTTP", mend: mend)]
        case .http:
            return [wrong("\(service) may not call this machine", mend: "Set OCTAVO_TRACES=file or unix:/SOCKET")]
        case .folder, .socket: return []
        }
    }

    private static func file(of service: String) -> String { "/etc/octavo/\(service).conf" }

    /// The last line that sets it.
    private static func setting(of service: String, on host: Host) -> String? {
        let lines = (host.text(of: file(of: service)) ?? "").split(whereSeparator: \.isNewline)
        let last = lines.last { $0.drop { $0 == " " || $0 == "\t" }.hasPrefix("OCTAVO_TRACES=") }
        let value = last?.split(separator: "=", maxSplits: 1).dropFirst().first?.filter { $0 != "\"" && $0 != "'" }
        return value?.trimmed
    }
}
