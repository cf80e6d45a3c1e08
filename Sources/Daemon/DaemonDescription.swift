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
        /// Whether another value counts as soon as the settings are read again, not only from the next start on.
        public let isLive: Bool

        /// Something the daemon cannot do without.
        public static func required(_ name: String, _ about: String) -> Entry {
            Entry(name: name, about: about, isRequired: true, isLive: false)
        }

        /// Something the daemon can do without.
        public static func optional(_ name: String, _ about: String) -> Entry {
            Entry(name: name, about: about, isRequired: false, isLive: false)
        }

        /// Something the daemon can do without, and takes anew when its settings are read again.
        public static func live(_ name: String, _ about: String) -> Entry {
            Entry(name: name, about: about, isRequired: false, isLive: true)
        }

        /// The variable it comes as; a credential's own name is that of a file.
        var variable: String { Settings.variable(for: name) }
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
        """
        \(name) \(version): \(summary)

        It takes no arguments: systemd opens its sockets and gives it its settings.
        In a terminal, `octavo up` does the same.

        Sockets (FileDescriptorName=)
        \(table(sockets))

        Variables (Environment=)
        \(table(variables + Self.common))
        \(credentials.isEmpty ? "" : "\nCredentials (LoadCredential=)\n" + table(credentials) + "\n")
        SIGHUP reads the settings again: those marked * count at once, others from the next start on.
        SIGTERM drains and stops; a second SIGTERM stops at once.
        Exit codes: 0 stopped as asked, 64 unknown argument, 78 configuration, 1 anything else.

        """
    }

    /// What every daemon has.
    private static let common: [Entry] = [
        .live("OCTAVO_LOG", "trace, debug, info (the default), notice, warning, error or critical"),
        .optional("OCTAVO_DRAIN_SECONDS", "seconds a stop may take before work is cut off (30)"),
        .optional("OCTAVO_TRACES", "where spans go: file, file:/FOLDER, unix:/SOCKET, http://127.0.0.1:PORT (nowhere)"),
        .optional("OCTAVO_TRACES_SAMPLE", "the part of the traces that begin here that is kept, 0 to 1 (1)"),
        .optional("OCTAVO_SETTINGS", "a file of further settings, NAME=value a line; it wins over the environment"),
    ]

    /// Every setting there is, one entry a variable.
    var settings: [Entry] {
        var seen: Set<String> = []
        return (credentials + variables + Self.common).filter { seen.insert($0.variable).inserted }
    }

    private func table(_ entries: [Entry]) -> String {
        let width = (entries.map(\.name.count).max() ?? 0) + 2
        return entries.map { entry in
            let padding = String(repeating: " ", count: width - entry.name.count)
            return
                "  \(entry.name)\(padding)\(entry.about)\(entry.isRequired ? " (required)" : "")\(entry.isLive ? " *" : "")"
        }.joined(separator: "\n")
    }
}
