/// One SQL statement with its parameters, written as a string.
///
///     let query: Query = "select title from book where id = \(id) and language = \(language)"
///
/// An interpolated value becomes `$1`, `$2`, … and travels apart from the SQL, so no value can change what is run. What
/// must become part of the SQL itself, the name of a column for instance, says so: `\(unsafe: column)`.
public struct Query: Sendable, ExpressibleByStringInterpolation {
    /// The SQL, with `$n` in place of the parameters.
    public private(set) var sql: String
    private(set) var parameters = Parameters()

    /// A statement without parameters.
    public init(stringLiteral sql: String) {
        self.sql = sql
    }

    /// A statement from its parts; the compiler calls this.
    public init(stringInterpolation: Interpolation) {
        sql = stringInterpolation.sql
        parameters = stringInterpolation.parameters
    }

    /// A statement whose SQL was made elsewhere. Nothing protects against what stands in it.
    public init(unsafe sql: String) {
        self.sql = sql
    }

    /// Collects the parts of an interpolated statement.
    public struct Interpolation: StringInterpolationProtocol {
        var sql = ""
        var parameters = Parameters()

        /// Prepares for parts of about this size.
        public init(literalCapacity: Int, interpolationCount: Int) {
            sql.reserveCapacity(literalCapacity + 4 * interpolationCount)
        }

        /// Adds SQL.
        public mutating func appendLiteral(_ literal: String) {
            sql += literal
        }

        /// Adds a parameter.
        public mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value) {
            parameters.append(value)
            sql += "$\(parameters.count)"
        }

        /// Adds a parameter that may be null.
        public mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
            parameters.append(value)
            sql += "$\(parameters.count)"
        }

        /// Adds SQL that was made elsewhere. Nothing protects against what stands in it.
        public mutating func appendInterpolation(unsafe sql: String) {
            self.sql += sql
        }
    }
}
