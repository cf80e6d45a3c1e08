import CLibPQ

/// How to reach a database, and the limits of a session.
///
///     try PostgresConfiguration("postgres:///octavo?host=/run/postgresql", applicationName: "octavo-storage")
///
/// The connection string is a URI or `keyword=value` pairs (PostgreSQL manual, 34.1.1). A host must be a socket
/// directory, an address or `localhost`: resolving any other name would block every connection of the process. Give
/// `hostaddr` beside a name.
public struct PostgresConfiguration: Sendable {
    /// One setting as libpq wants it.
    struct Keyword: Sendable {
        let name: String
        let value: String
    }

    /// Whether pgbouncer stands in between and gives each transaction a session of its own (`pool_mode=transaction`):
    /// `pgbouncer=true` in the connection string, beside libpq's own keywords.
    ///
    /// Then nothing relies on the session: no statement is prepared, `settings` are not sent when connecting (transactions
    /// of several round trips get their time limits by SET LOCAL; give the role others by `alter role … set`), and what
    /// needs a session, `listen` for instance, is refused.
    public var isBehindPgBouncer = false

    private var given: [Keyword]
    /// Settings that win over `options` of the connection string.
    private var imposed: [String: String] = [:]

    /// How long connecting may take: `connect_timeout` of the connection string, or 5 s. libpq itself observes no limit
    /// when it connects without blocking.
    public var connectTimeout: Duration = .seconds(5)

    /// The deadline of an operation that names none, from its start. Nothing waits for ever.
    public var operationTimeout: Duration = .seconds(30)

    /// How much longer than its deadline an operation may take to learn whether its commit took effect, in place of
    /// reporting `outcomeUnknown`. A cancel request is normally answered within 5 ms.
    public var grace: Duration = .milliseconds(250)

    /// How long an operation that was given up may occupy its connection before that is closed.
    public var settleLimit: Duration = .seconds(2)

    /// Settings of the session by name, e.g. `statement_timeout`. `options` of the connection string come after and win.
    public var settings: [String: String] = [
        // The server's own limit on what outlives this side's deadline.
        "statement_timeout": "30s",
        // Who holds a transaction open without a statement holds its locks and keeps rows from being cleaned up.
        "idle_in_transaction_session_timeout": "10s",
        // Otherwise a backend whose client was killed goes on to the end of its statement.
        "client_connection_check_interval": "1s",
    ]

    /// Reads a connection string without connecting. Throws `invalidConfiguration` with libpq's reason, in which
    /// whatever was quoted from the string is left out, since it may be the password.
    public init(_ connectionString: String, applicationName: String = "octavo") throws(PostgresError) {
        let (text, isBehindPgBouncer) = try takingPgBouncer(from: connectionString)
        self.isBehindPgBouncer = isBehindPgBouncer
        var given = try parseConnectionString(text)
        if let seconds = given.first(where: { $0.name == "connect_timeout" }).flatMap({ Int($0.value) }), seconds > 0 {
            connectTimeout = .seconds(seconds)
        }
        // Everything here reads and writes UTF-8, whatever the string says.
        given.removeAll { $0.name == "client_encoding" || $0.name == "connect_timeout" }
        if !given.contains(where: { $0.name == "application_name" }) {
            given.append(Keyword(name: "application_name", value: applicationName))
        }
        if !given.contains(where: { $0.name == "gssencmode" }) {
            // Looking for Kerberos credentials may ask the network, and blocks.
            given.append(Keyword(name: "gssencmode", value: "disable"))
        }
        self.given = given
        try checkHosts()
    }

    /// The database's name, when the connection string has one.
    public var database: String? {
        get { value("dbname") }
        set {
            given.removeAll { $0.name == "dbname" }
            if let newValue { given.append(Keyword(name: "dbname", value: newValue)) }
        }
    }

    /// What libpq is given.
    var keywords: [Keyword] {
        let encoding = Keyword(name: "client_encoding", value: "UTF8")
        // pgbouncer refuses a connection with options.
        if isBehindPgBouncer { return given + [encoding] }
        let options = (Self.options(settings) + [value("options")].compactMap { $0 } + Self.options(imposed))
            .joined(separator: " ")
        return given.filter { $0.name != "options" } + [Keyword(name: "options", value: options), encoding]
    }

    /// What a transaction starts with after BEGIN: its time limits, where the session cannot have them.
    var transactionSettings: [Query] {
        guard isBehindPgBouncer else { return [] }
        return ["idle_in_transaction_session_timeout", "statement_timeout"].compactMap { name in
            settings[name].map { Query(unsafe: "set local \(name) = '\($0.split(separator: "'").joined())'") }
        }
    }

    /// For a session that only reads, and ends each statement after `timeout`.
    func forSharedReads(timeout: Duration) -> PostgresConfiguration {
        var copy = self
        copy.imposed = [
            "default_transaction_read_only": "on",
            // Short reads by a key: a plan is made once. With several keys at once Postgres would find plans for one of
            // these few keys cheaper, and plan each time, which costs more than the reading.
            "plan_cache_mode": "force_generic_plan",
            "statement_timeout": "\(Int64(max(1, timeout / .milliseconds(1))))",
        ]
        return copy
    }

    private static func options(_ settings: [String: String]) -> [String] {
        settings.sorted { $0.key < $1.key }.map { "-c \(escape($0.key))=\(escape($0.value))" }
    }

    private func value(_ name: String) -> String? {
        given.first { $0.name == name }?.value
    }

    private func checkHosts() throws(PostgresError) {
        guard value("hostaddr") == nil, let hosts = value("host") else { return }
        for host in hosts.split(separator: ",") where !isLocalOrAddress(host) {
            throw PostgresError(
                .invalidConfiguration,
                "the host is a name, and looking it up would block; give hostaddr=ADDRESS as well, or a socket directory"
            )
        }
    }

    /// Spaces separate the options, a backslash takes that from them.
    private static func escape(_ text: String) -> String {
        text.reduce(into: "") { escaped, character in
            if character == " " || character == "\\" { escaped.append("\\") }
            escaped.append(character)
        }
    }
}

extension PostgresConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Where it leads to: host, port, database and role.
    public var description: String {
        ["host", "hostaddr", "port", "dbname", "user"]
            .compactMap { name in value(name).map { "\(name)=\($0)" } }
            .joined(separator: " ")
    }

    /// As `description`: the password is in neither.
    public var debugDescription: String { description }

    /// Nothing: `dump` would show the password.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
