import Contract
import Testing

/// The text format of Prometheus, read strictly.
@Suite struct PrometheusTests {
    private func stats(_ service: String, _ gauges: [String: Int], _ operations: [Stats.Operation]) -> Stats {
        Stats(
            health: Health(
                service: service,
                ready: true,
                reasons: [],
                uptimeMilliseconds: 81_230,
                version: "0.1.0",
                inFlight: 2,
                connections: 3,
                gauges: gauges
            ),
            isDraining: false,
            logLevel: "info",
            operations: operations,
            connections: ["gateway": 2, "admin": 1],
            violations: ["duplicate_key": 4]
        )
    }

    private func text() -> String {
        var buckets = Array(repeating: 0, count: Stats.bounds.count + 1)
        buckets[0] = 5
        buckets[3] = 2
        buckets[Stats.bounds.count] = 1
        let operations = [
            Stats.Operation(
                name: "books.get",
                succeeded: 6,
                failed: ["not_found": 1, "unavailable": 1],
                microseconds: 1_250_500,
                buckets: buckets
            ),
            Stats.Operation(name: #"a"b\c"#, succeeded: 0, failed: ["404": 1], microseconds: 0, buckets: []),
        ]
        return Prometheus.text([
            ("agent-runner", nil), ("storage", stats("storage", ["pool.busy": 1, "violations.x": 4], operations)),
        ])
    }

    @Test func itIsTheTextFormatToTheLetter() throws {
        let families = try PrometheusReader.read(text())
        #expect(Set(families.map(\.name)).count == families.count)
        #expect(families.allSatisfy { $0.type == "counter" ? $0.name.hasSuffix("_total") : true })
        let series = families.flatMap(\.samples).map { "\($0.name)\($0.labels)" }
        #expect(Set(series).count == series.count)
    }

    @Test func itSaysWhatTheServicesSaid() throws {
        let lines = Set(text().split(separator: "\n").map(String.init))
        let expected = [
            #"octavo_up{service="agent-runner"} 0"#, #"octavo_up{service="storage"} 1"#,
            #"octavo_build_info{service="storage",version="0.1.0"} 1"#,
            #"octavo_uptime_seconds{service="storage"} 81.23"#,
            #"octavo_calls_total{service="storage",operation="books.get",code="ok"} 6"#,
            #"octavo_calls_total{service="storage",operation="books.get",code="not_found"} 1"#,
            #"octavo_calls_total{service="storage",operation="a\"b\\c",code="404"} 1"#,
            #"octavo_call_duration_seconds_bucket{service="storage",operation="books.get",le="0.0005"} 5"#,
            #"octavo_call_duration_seconds_bucket{service="storage",operation="books.get",le="0.0025"} 5"#,
            #"octavo_call_duration_seconds_bucket{service="storage",operation="books.get",le="0.005"} 7"#,
            #"octavo_call_duration_seconds_bucket{service="storage",operation="books.get",le="+Inf"} 8"#,
            #"octavo_call_duration_seconds_sum{service="storage",operation="books.get"} 1.2505"#,
            #"octavo_call_duration_seconds_count{service="storage",operation="books.get"} 8"#,
            #"octavo_protocol_violations_total{service="storage",rule="duplicate_key"} 4"#,
            #"octavo_connections{service="storage",role="gateway"} 2"#, #"octavo_pool_busy{service="storage"} 1"#,
        ]
        for line in expected { #expect(lines.contains(line), "\(line)") }
        #expect(!text().contains("octavo_violations"))
    }

    @Test func whatIsNotTheFormatIsNotRead() {
        for wrong in [
            "x 1\n", "# TYPE x gauge\n# TYPE x gauge\n", "# HELP x h\n# TYPE x gauge\nx 1",
            "# HELP x h\n# TYPE x gauge\ny 1\n",
            "# HELP x h\n# TYPE x gauge\nx{a=\"1} 1\n", "# HELP x h\n# TYPE x gauge\nx{a=\"1\"} one\n",
        ] {
            #expect(throws: PrometheusReader.Wrong.self) { try PrometheusReader.read(wrong) }
        }
    }
}

/// Reads the text format strictly: each family has its help and its type before its samples, which stand together.
enum PrometheusReader {
    struct Family {
        var name: String
        var type: String
        var samples: [(name: String, labels: String)] = []
    }

    struct Wrong: Error { let line: String }

    static func read(_ text: String) throws -> [Family] {
        guard text.hasSuffix("\n") else { throw Wrong(line: "the end") }
        var families: [Family] = []
        var helped: String?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init) {
            if let help = line.wholeMatch(of: /# HELP ([a-z_]+) .+/) {
                helped = String(help.1)
            } else if let type = line.wholeMatch(of: /# TYPE ([a-z_]+) (counter|gauge|histogram)/) {
                guard helped == String(type.1), !families.contains(where: { $0.name == type.1 }) else {
                    throw Wrong(line: line)
                }
                families.append(Family(name: String(type.1), type: String(type.2)))
            } else {
                try add(line, to: &families)
            }
        }
        return families
    }

    private static func add(_ line: String, to families: inout [Family]) throws {
        let pattern = /([a-z_]+)(\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})? ([0-9.]+)/
        guard let sample = line.wholeMatch(of: pattern), Double(sample.3) != nil, let family = families.last else {
            throw Wrong(line: line)
        }
        let suffixes = family.type == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
        guard suffixes.contains(where: { family.name + $0 == sample.1 }) else { throw Wrong(line: line) }
        families[families.count - 1].samples.append((String(sample.1), sample.2.map(String.init) ?? ""))
    }
}
