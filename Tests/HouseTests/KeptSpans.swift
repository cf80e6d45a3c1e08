import FoundationEssentials
import Testing

/// The spans that services have written, as a collector reads them.
struct KeptSpans {
    struct Span {
        var service: String
        var trace: String
        var id: String
        var parent: String?
        var name: String
        var kind: Int
        var start: UInt64
        var end: UInt64
        var attributes: [String: String]
        var links: [(trace: String, id: String)]
    }

    /// All the text there is.
    private(set) var text = ""
    private(set) var spans: [Span] = []

    /// - Parameter folder: where the services write, a file each.
    init(in folder: String) throws {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names.sorted() where name.hasSuffix(".jsonl") {
            let file = String(
                decoding: FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data(),
                as: UTF8.self
            )
            text += file
            // The last line may be on its way.
            for line in file.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
                spans += try JSONDecoder().decode(Request.self, from: Data(line.utf8)).spans
            }
        }
    }

    /// Those of a trace.
    func of(_ trace: String) -> [Span] { spans.filter { $0.trace == trace } }
}

extension [KeptSpans.Span] {
    func named(_ name: String) -> [KeptSpans.Span] { filter { $0.name == name } }

    /// Those whose parent is not there, besides the given one.
    func orphans(besidesOf caller: String? = nil) -> [KeptSpans.Span] {
        let ids = Set(map(\.id))
        return filter { span in span.parent.map { $0 != caller && !ids.contains($0) } ?? false }
    }

    /// What does not lie within its parent's time.
    var unnested: [String] {
        let byID = [String: KeptSpans.Span](map { ($0.id, $0) }) { $1 }
        return compactMap { span in
            guard let parent = span.parent.flatMap({ byID[$0] }) else { return nil }
            guard span.start < parent.start || span.end > parent.end else { return nil }
            return
                "\(span.service) \(span.name) \(span.start)–\(span.end) in \(parent.name) \(parent.start)–\(parent.end)"
        }
    }
}

private struct Request: Decodable {
    struct Value: Decodable {
        struct Array: Decodable { var values: [Value] }
        var stringValue: String?
        var intValue: String?
        var boolValue: Bool?
        var arrayValue: Array?

        var text: String {
            stringValue ?? intValue ?? boolValue.map { "\($0)" } ?? arrayValue?.values.map(\.text).joined(
                separator: ","
            ) ?? ""
        }
    }
    struct Attribute: Decodable {
        var key: String
        var value: Value
    }
    struct Link: Decodable {
        var traceId: String
        var spanId: String
    }
    struct Span: Decodable {
        var traceId: String
        var spanId: String
        var parentSpanId: String?
        var name: String
        var kind: Int
        var startTimeUnixNano: String
        var endTimeUnixNano: String
        var attributes: [Attribute]
        var links: [Link]
    }
    struct Resource: Decodable { var attributes: [Attribute] }
    struct ScopeSpans: Decodable { var spans: [Span] }
    struct ResourceSpans: Decodable {
        var resource: Resource
        var scopeSpans: [ScopeSpans]
    }

    var resourceSpans: [ResourceSpans]

    var spans: [KeptSpans.Span] {
        resourceSpans.flatMap { resource in
            let service = resource.resource.attributes.first { $0.key == "service.name" }?.value.text ?? ""
            return resource.scopeSpans.flatMap(\.spans).map { span in
                KeptSpans.Span(
                    service: service,
                    trace: span.traceId,
                    id: span.spanId,
                    parent: span.parentSpanId,
                    name: span.name,
                    kind: span.kind,
                    start: UInt64(span.startTimeUnixNano) ?? 0,
                    end: UInt64(span.endTimeUnixNano) ?? 0,
                    attributes: [String: String](span.attributes.map { ($0.key, $0.value.text) }) { $1 },
                    links: span.links.map { ($0.traceId, $0.spanId) }
                )
            }
        }
    }
}
