/// What a daemon is and takes, for `--help` and for the checks at its start.
public struct DaemonDescription: Sendable {
    /// A setting or a socket with the sentence that explains it.
    public struct Entry: Sendable {
        /// The variable (`DATABASE_URL`), the credential (`slack-signing-secret`) or the socket (`gateway`).
        public let name: String
        /// A few words for `--help`.
        public let about: String
        /// Whether the daemon refuses to start without it. Checked here for sockets; a setting is required by whoever
        /// reads it.
        public let isRequired: Bool

        /// Something the daemon cannot do without.
        public static func required(_ name: String, _ about: String) -> Entry {
            Entry(name: name, about: about, isRequired: true)
        }

        /// Something the daemon can do without.
        public static func optional(_ name: String, _ about: String) -> Entry {
            Entry(name: name, about: about, isRequired: false)
        }
    }

    /// The name of the executable, also the label of its log: `octavo-gateway`.
    public let name: String
    /// What `--version` says.
    public let version: String
    /// One sentence: what the daemon is for.
    public let summary: String
    /// `FileDescriptorName=` of the sockets it serves. One that is not listed is refused at start.
    public let sockets: [Entry]
    /// Environment variables, besides `OCTAVO_LOG` and `OCTAVO_DRAIN_SECONDS` which every daemon has.
    public let variables: [Entry]
    /// Files of `$CREDENTIALS_DIRECTORY`.
    public let credentials: [Entry]

    /// Describes a daemon.
    public init(
        name: String,
        version: String,
        summary: String,
        sockets: [Entry],
        variables: [Entry] = [],
        credentials: [Entry] = []
    ) {
        self.name = name
        self.version = version
        self.summary = summary
        self.sockets = sockets
        self.variables = variables
        self.credentials = credentials
    }

    /// What `--help` prints.
    public var help: String {
        let common: [Entry] = [
            .optional("OCTAVO_LOG", "trace, debug, info (the default), notice, warning, error or critical"),
            .optional("OCTAVO_DRAIN_SECONDS", "seconds a stop may take before work is cut off (30)"),
        ]
        return """
            \(name) \(version): \(summary)

            It takes no arguments: systemd opens its sockets and gives it its settings.
            In a terminal, `octavo up` does the same.

            Sockets (FileDescriptorName=)
            \(table(sockets))

            Variables (Environment=)
            \(table(variables + common))
            \(credentials.isEmpty ? "" : "\nCredentials (LoadCredential=)\n" + table(credentials) + "\n")
            SIGTERM drains and stops; a second SIGTERM stops at once.
            Exit codes: 0 stopped as asked, 64 unknown argument, 78 configuration, 1 anything else.

            """
    }

    private func table(_ entries: [Entry]) -> String {
        let width = (entries.map(\.name.count).max() ?? 0) + 2
        return entries.map { entry in
            let padding = String(repeating: " ", count: width - entry.name.count)
            return "  \(entry.name)\(padding)\(entry.about)\(entry.isRequired ? " (required)" : "")"
        }.joined(separator: "\n")
    }
}
