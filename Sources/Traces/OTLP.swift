internal import FoundationEssentials
internal import Glibc
internal import NIOCore
internal import Tracing
internal import Wire

/// Spans as a request of OTLP in JSON: ids in hex, numbers of 64 bits as strings, kinds as numbers.
struct OTLPEncoding: Sendable {
    private let resource: Request.Resource

    init(service: String, version: String) {
        let attributes: [(String, SpanAttribute)] = [
            ("service.name", .string(service)), ("service.namespace", "octavo"), ("service.version", .string(version)),
            ("service.instance.id", .string(UUID().uuidString.lowercased())),
            ("host.name", .string(ProcessInfo.processInfo.hostName)), ("process.pid", .int64(Int64(getpid()))),
        ]
        resource = Request.Resource(attributes: attributes.compactMap { Request.Attribute($0, $1) })
    }

    func encode(_ spans: [FinishedSpan]) -> ByteBuffer {
        let scope = Request.ScopeSpans(scope: Request.Scope(name: "octavo"), spans: spans.map(Request.Span.init))
        let request = Request(resourceSpans: [Request.ResourceSpans(resource: resource, scopeSpans: [scope])])
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        // Text, finite numbers and truth always encode.
        return ByteBuffer(bytes: (try? encoder.encode(request)) ?? Data())
    }
}

/// `ExportTraceServiceRequest`.
private struct Request: Encodable {
    var resourceSpans: [ResourceSpans]

    struct ResourceSpans: Encodable {
        var resource: Resource
        var scopeSpans: [ScopeSpans]
    }

    struct Resource: Encodable {
        var attributes: [Attribute]
    }

    struct ScopeSpans: Encodable {
        var scope: Scope
        var spans: [Span]
    }

    struct Scope: Encodable {
        var name: String
    }

    struct Span: Encodable {
        var traceId: String
        var spanId: String
        var parentSpanId: String?
        var flags: Int
        var name: String
        var kind: Int
        var startTimeUnixNano: String
        var endTimeUnixNano: String
        var attributes: [Attribute]
        var events: [Event]
        var links: [Link]
        var status: Status?
    }

    struct Event: Encodable {
        var timeUnixNano: String
        var name: String
        var attributes: [Attribute]
    }

    struct Link: Encodable {
        var traceId: String
        var spanId: String
        var attributes: [Attribute]
    }

    struct Status: Encodable {
        /// 1 is well, 2 is failed.
        var code: Int
    }

    struct Attribute: Encodable {
        var key: String
        var value: Value
    }

    enum Value {
        case string(String)
        case int(Int64)
        case double(Double)
        case bool(Bool)
        case array([Value])
    }
}

extension Request.Span {
    init(_ span: FinishedSpan) {
        traceId = span.own.traceID
        spanId = span.own.spanID
        parentSpanId = span.parent?.spanID
        flags = 1
        name = span.name.cutForSpan
        kind =
            switch span.kind {
            case .internal: 1
            case .server: 2
            case .client: 3
            case .producer: 4
            case .consumer: 5
            }
        startTimeUnixNano = "\(span.start)"
        endTimeUnixNano = "\(span.end)"
        attributes = .init(span.attributes)
        events = span.events.map {
            Request.Event(timeUnixNano: "\($0.nanosecondsSinceEpoch)", name: $0.name, attributes: .init($0.attributes))
        }
        links = span.links.compactMap { link in
            link.context.traceParent.map {
                Request.Link(traceId: $0.traceID, spanId: $0.spanID, attributes: .init(link.attributes))
            }
        }
        status = span.status.map { Request.Status(code: $0.code == .ok ? 1 : 2) }
    }
}

extension [Request.Attribute] {
    /// More of them nobody reads.
    private static let most = 64

    fileprivate init(_ attributes: SpanAttributes) {
        self = []
        attributes.forEach { key, value in
            if count < Self.most, let attribute = Request.Attribute(key, value) { append(attribute) }
        }
        sort { $0.key < $1.key }
    }
}

extension Request.Attribute {
    init?(_ key: String, _ attribute: SpanAttribute) {
        guard let value = Request.Value(attribute) else { return nil }
        self.init(key: key, value: value)
    }
}

extension Request.Value: Encodable {
    init?(_ attribute: SpanAttribute) {
        switch attribute {
        case .int32(let value): self = .int(Int64(value))
        case .int64(let value): self = .int(value)
        case .double(let value) where value.isFinite: self = .double(value)
        case .bool(let value): self = .bool(value)
        case .string(let value): self = .string(value.cutForSpan)
        case .stringConvertible(let value): self = .string("\(value)".cutForSpan)
        case .int32Array(let values): self = .array(values.map { .int(Int64($0)) })
        case .int64Array(let values): self = .array(values.map { .int($0) })
        case .doubleArray(let values): self = .array(values.filter(\.isFinite).map { .double($0) })
        case .boolArray(let values): self = .array(values.map { .bool($0) })
        case .stringArray(let values): self = .array(values.map { .string($0.cutForSpan) })
        default: return nil
        }
    }

    private enum Key: String, CodingKey { case stringValue, intValue, doubleValue, boolValue, arrayValue, values }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .string(let value): try container.encode(value, forKey: .stringValue)
        case .int(let value): try container.encode("\(value)", forKey: .intValue)
        case .double(let value): try container.encode(value, forKey: .doubleValue)
        case .bool(let value): try container.encode(value, forKey: .boolValue)
        case .array(let values):
            var array = container.nestedContainer(keyedBy: Key.self, forKey: .arrayValue)
            try array.encode(values, forKey: .values)
        }
    }
}

extension String {
    /// Long enough for every name there is; a path may be anybody's.
    fileprivate var cutForSpan: String { utf8.count <= 512 ? self : String(prefix(128)) }
}
