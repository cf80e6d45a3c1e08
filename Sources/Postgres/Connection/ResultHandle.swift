import CLibPQ
import Glibc

/// The owner of a `PGresult`: with `ConnectionHandle` the only code that calls libpq.
final class ResultHandle: @unchecked Sendable {
    // Unchecked, because libpq never changes a result once it was handed out and allows it to be read from any thread
    // (PostgreSQL manual, 34.20); it is freed when the last owner lets go.

    enum Status {
        case rows
        case command
        case error
        /// Not run, because an earlier statement of the same pipeline failed.
        case aborted
        /// The end of a pipeline: what it did is committed, unless it is inside a transaction block.
        case sync
        /// COPY and whatever else this module does not speak.
        case unsupported
    }

    private let pointer: OpaquePointer
    let status: Status
    let rowCount: Int
    let columnCount: Int

    init(adopting pointer: OpaquePointer) {
        self.pointer = pointer
        switch PQresultStatus(pointer) {
        case PGRES_TUPLES_OK: status = .rows
        case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: status = .command
        case PGRES_FATAL_ERROR: status = .error
        case PGRES_PIPELINE_ABORTED: status = .aborted
        case PGRES_PIPELINE_SYNC: status = .sync
        default: status = .unsupported
        }
        rowCount = Int(PQntuples(pointer))
        columnCount = Int(PQnfields(pointer))
    }

    deinit {
        PQclear(pointer)
    }

    func columnName(_ column: Int) -> String {
        PQfname(pointer, Int32(column)).map { String(cString: $0) } ?? ""
    }

    func columnType(_ column: Int) -> PostgresType {
        PostgresType(rawValue: PQftype(pointer, Int32(column)))
    }

    /// The first column of exactly this name. `PQfnumber` would fold the case as SQL does.
    func column(named name: String) -> Int? {
        name.withCString { wanted in
            (0..<columnCount).first { strcmp(PQfname(pointer, Int32($0)), wanted) == 0 }
        }
    }

    /// The bytes of a value, nil for NULL. Valid as long as this object.
    func value(row: Int, column: Int) -> UnsafeRawBufferPointer? {
        let row = Int32(row)
        let column = Int32(column)
        guard PQgetisnull(pointer, row, column) == 0 else { return nil }
        return UnsafeRawBufferPointer(
            start: PQgetvalue(pointer, row, column),
            count: Int(PQgetlength(pointer, row, column))
        )
    }

    /// How many rows the command affected, 0 where that means nothing.
    var affectedRows: Int { Int(String(cString: PQcmdTuples(pointer))) ?? 0 }

    /// The command that was carried out, e.g. `INSERT 0 1`. A COMMIT of a failed transaction says ROLLBACK.
    var commandTag: String { String(cString: PQcmdStatus(pointer)) }

    /// What the server reported, or libpq itself when the connection broke.
    var report: ServerReport { ServerReport(pointer) }
}

extension ServerReport {
    /// The fields of an error or notice. libpq's own errors have a message and nothing else.
    init(_ result: OpaquePointer) {
        func field(_ code: Unicode.Scalar) -> String? {
            PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) }
        }
        severity = field("V") ?? field("S") ?? "ERROR"
        state = SQLState(rawValue: field("C") ?? "")
        message = field("M") ?? String(cString: PQresultErrorMessage(result))
        detail = field("D")
        hint = field("H")
        position = field("P").flatMap { Int($0) }
        context = field("W")
        schema = field("s")
        table = field("t")
        column = field("c")
        constraint = field("n")
    }
}
