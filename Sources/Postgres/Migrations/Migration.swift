/// One numbered change of the schema.
public struct Migration: Sendable, Hashable {
    /// Its place in the order, from 1.
    public let number: Int
    /// A short name for people, e.g. `create_books`.
    public let name: String
    /// The statements. They run as one transaction and must not end it.
    public let sql: String

    /// A change.
    public init(number: Int, name: String, sql: String) {
        self.number = number
        self.name = name
        self.sql = sql
    }
}

/// Why migrations were refused or failed. Nothing of the refused or failed one has taken effect.
public enum MigrationError: Error, Sendable, CustomStringConvertible {
    /// Two migrations have the same number, or one is below 1.
    case badNumber(Int)
    /// A migration that was applied has been edited since.
    case edited(number: Int, name: String)
    /// The database has a migration that this program does not know: the program is older than the database.
    case unknown(number: Int, name: String)
    /// A migration was added below one that was already applied.
    case outOfOrder(number: Int, name: String, applied: Int)
    /// A migration ended the transaction it ran in, for instance by COMMIT; what it did before that has taken effect.
    case endedTransaction(number: Int, name: String)
    /// A migration's SQL failed.
    case failed(number: Int, name: String, PostgresError)
    /// Postgres failed otherwise.
    case database(PostgresError)

    /// Which migration, and what to do.
    public var description: String {
        switch self {
        case .badNumber(let number):
            "Migration number \(number) is used twice or below 1. Give each its own number."
        case .edited(let number, let name):
            """
            Migration \(number) (\(name)) was edited after it had been applied. Restore its text, and put the change \
            into a new migration.
            """
        case .unknown(let number, let name):
            """
            The database has migration \(number) (\(name)), which this program does not know. Run the newer program, or \
            restore an older database.
            """
        case .outOfOrder(let number, let name, let applied):
            """
            Migration \(number) (\(name)) was added after number \(applied) had been applied. Give it a number above \
            \(applied).
            """
        case .endedTransaction(let number, let name):
            "Migration \(number) (\(name)) ends its own transaction. Take COMMIT and ROLLBACK out of it."
        case .failed(let number, let name, let error):
            "Migration \(number) (\(name)) failed: \(error.debugDescription)"
        case .database(let error):
            "The migrations could not be applied: \(error)"
        }
    }
}
