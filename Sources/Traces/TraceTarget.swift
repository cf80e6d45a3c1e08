/// Where spans go: the setting `OCTAVO_TRACES`.
public enum TraceTarget: Sendable, Equatable {
    /// A file of each service in this folder.
    case folder(String)
    /// A collector at a Unix socket: OTLP over HTTP, as JSON.
    case socket(String)
    /// A collector on this machine.
    case http(host: String, port: Int)

    /// What is wrong with the setting: a sentence.
    public struct Refusal: Error, CustomStringConvertible {
        /// The sentence.
        public let description: String
    }

    /// - Parameters:
    ///   - setting: `file`, `file:/FOLDER`, `unix:/SOCKET` or `http://127.0.0.1:PORT`.
    ///   - logs: the folder `file` means: systemd's `LOGS_DIRECTORY`.
    public init(_ setting: String, logs: String?) throws(Refusal) {
        switch setting.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init) {
        case ["file"]:
            // Several with colons between them, where a unit has several.
            guard let first = logs?.split(separator: ":").first else {
                throw Refusal(
                    description: "OCTAVO_TRACES is \"file\", and there is no LOGS_DIRECTORY: write file:/FOLDER."
                )
            }
            self = .folder(String(first))
        case let parts where parts.count == 2 && parts[0] == "file" && parts[1].hasPrefix("/"): self = .folder(parts[1])
        case let parts where parts.count == 2 && parts[0] == "unix" && parts[1].hasPrefix("/"):
            // sockaddr_un has 108 bytes, one of them the end.
            guard parts[1].utf8.count < 108 else {
                throw Refusal(description: "OCTAVO_TRACES names a socket whose path is longer than 107 bytes.")
            }
            self = .socket(parts[1])
        case let parts where parts.count == 2 && parts[0] == "http": self = try Self.http(parts[1])
        default:
            throw Refusal(
                description: "OCTAVO_TRACES is \"\(setting)\"; it has to be file, file:/FOLDER, unix:/SOCKET or "
                    + "http://127.0.0.1:PORT."
            )
        }
    }

    /// This machine alone: what brings spans to others is a collector's work, which has their certificates.
    private static func http(_ rest: String) throws(Refusal) -> TraceTarget {
        for host in ["127.0.0.1", "localhost", "[::1]"] where rest.hasPrefix("//\(host)") {
            var port = rest.dropFirst(host.utf8.count + 2)
            if port.hasSuffix("/") { port.removeLast() }
            if port.isEmpty { return .http(host: bare(host), port: 4318) }
            guard port.first == ":", let number = Int(port.dropFirst()), (1...65_535).contains(number) else { break }
            return .http(host: bare(host), port: number)
        }
        throw Refusal(
            description:
                "OCTAVO_TRACES has to name a collector on this machine, as http://127.0.0.1:4318 without a path."
        )
    }

    private static func bare(_ host: String) -> String {
        host == "[::1]" ? "::1" : host == "localhost" ? "127.0.0.1" : host
    }
}
