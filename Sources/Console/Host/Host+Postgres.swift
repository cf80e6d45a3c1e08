extension Host {
    /// The database, as `DATABASE_URL` of the units has it.
    static let database = "octavo"
    /// Who owns it and changes its tables.
    static let ownerRole = "octavo-owner"
    /// Who reads and writes rows: storage.
    static let serviceRole = "octavo-storage"

    /// Postgres of this machine, where the units look for it whatever other clusters there are, asked as its administrator.
    private static let psql = [
        "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1", "--host=/run/postgresql",
        "--port=5432", "--username=postgres",
    ]

    /// Runs statements, of which each is a transaction. Errors: ``Failure`` with what Postgres said.
    func runSQL(_ statements: String, in database: String = "postgres") async throws {
        guard !isDryRun else {
            return statements.split(separator: "\n").forEach { would("tell Postgres: \($0)") }
        }
        _ = try await askSQL(statements, in: database)
    }

    /// What a query answers: a line a row, and `|` between columns.
    func askSQL(_ query: String, in database: String = "postgres") async throws -> String {
        let arguments = Self.psql + ["--dbname=\(database)", "--command=\(query)"]
        let output = try await output(of: "psql", arguments, as: "postgres")
        guard output.succeeded else { throw Failure("Postgres refuses: \(output.said)") }
        return output.text.trimmed
    }

    /// Whether a query has an answer at all.
    func hasSQL(_ query: String, in database: String = "postgres") async throws -> Bool {
        try await !askSQL(query, in: database).isEmpty
    }
}
