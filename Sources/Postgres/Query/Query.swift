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
    /// What is read, where it says so.
    private(set) var key: Key?
    /// Whether it reads for several keys.
    private(set) var readsSeveral = false

    /// Where the key stands in a statement, and what it is.
    struct Key: Sendable {
        let value: Int
        /// Its place among the parameters, from 0.
        let parameter: Int
        /// Its `$n` in the SQL.
        let placeholder: Range<String.Index>
    }

    /// A statement without parameters.
    public init(stringLiteral sql: String) {
        self.sql = sql
    }

    /// A statement from its parts; the compiler calls this.
    public init(stringInterpolation: Interpolation) {
        sql = stringInterpolation.sql
        parameters = stringInterpolation.parameters
        key = stringInterpolation.key
    }

    /// A statement whose SQL was made elsewhere. Nothing protects against what stands in it.
    public init(unsafe sql: String) {
        self.sql = sql
    }

    /// Collects the parts of an interpolated statement.
    public struct Interpolation: StringInterpolationProtocol {
        var sql = ""
        var parameters = Parameters()
        var key: Key?

        /// Prepares for parts of about this size.
        public init(literalCapacity: Int, interpolationCount: Int) {
            sql.reserveCapacity(literalCapacity + 4 * interpolationCount)
            if interpolationCount > 0 { parameters.reserve(interpolationCount) }
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

        /// Adds the key of what is read, behind `=`, in a statement whose first column is that key:
        ///
        ///     "select id, title from book where id = \(key: id)"
        ///
        /// Reads of many callers at the same moment that differ in nothing but the key may then be one statement, with
        /// `= any($1)`; each caller gets the rows of its own key. See `ConnectionPool.read`.
        public mutating func appendInterpolation(key value: Int) {
            parameters.append(value)
            let start = sql.endIndex
            sql += "$\(parameters.count)"
            key = key ?? Key(value: value, parameter: parameters.count - 1, placeholder: start..<sql.endIndex)
        }

        /// Adds SQL that was made elsewhere. Nothing protects against what stands in it.
        public mutating func appendInterpolation(unsafe sql: String) {
            self.sql += sql
        }
    }
}

extension Query {
    /// The same statement for several keys at once; itself when it has no key.
    func reading(_ keys: [Int]) -> Query {
        guard let key else { return self }
        let several = "any(" + sql[key.placeholder] + ")"
        var query = Query(unsafe: sql[..<key.placeholder.lowerBound] + several + sql[key.placeholder.upperBound...])
        query.parameters = parameters.replacing(key.parameter, with: keys)
        query.readsSeveral = true
        return query
    }
}
