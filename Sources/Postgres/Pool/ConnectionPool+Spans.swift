import Tracing

// What is sent to Postgres as spans, by OpenTelemetry's conventions for databases: from the wait for a connection to the answer.
// Neither statements nor parameters are told, which may be anybody's words. Without a tracer nothing is made.
extension ConnectionPool {
    /// Does something within a span, where the task is within another: what the pool's owner does by itself is nobody's trace.
    func spanned<Value>(
        _ operation: @autoclosure () -> String,
        statements: Int = 1,
        _ body: () async throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        guard let tracer, let context = ServiceContext.current else { return try await body() }
        let span = begin(operation(), statements, tracer, context)
        defer { span.end() }
        do throws(PostgresError) {
            return try await body()
        } catch {
            span.say(error)
            throw error
        }
    }

    /// As above, where the body may throw anything: a transaction that somebody else fills.
    func spannedTransaction<Value>(_ body: () async throws -> Value) async throws -> Value {
        guard let tracer, let context = ServiceContext.current else { return try await body() }
        let span = begin("TRANSACTION", 1, tracer, context)
        defer { span.end() }
        do {
            return try await body()
        } catch {
            if let error = error as? PostgresError { span.say(error) }
            throw error
        }
    }

    private func begin(
        _ operation: String,
        _ statements: Int,
        _ tracer: any Tracer,
        _ context: ServiceContext
    ) -> any Span {
        let span = tracer.startAnySpan(operation, context: context, ofKind: .client)
        guard span.isRecording else { return span }
        span.attributes = ["db.system.name": "postgresql", "db.operation.name": .string(operation)]
        if statements > 1 { span.attributes["db.operation.batch.size"] = statements }
        return span
    }
}

extension Span {
    fileprivate func say(_ error: PostgresError) {
        if case .sqlState(let state) = error.code { attributes["db.response.status_code"] = state.rawValue }
        attributes["error.type"] = error.spanType
        setStatus(SpanStatus(code: .error))
    }
}

extension PostgresError {
    /// The SQLSTATE, or what went wrong on this side.
    fileprivate var spanType: String {
        if case .sqlState(let state) = code { state.rawValue } else { "\(code)" }
    }
}

extension Query {
    /// What it does, by its first word: `SELECT`, `INSERT`, `WITH`.
    var operation: String {
        let word = sql.utf8.drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x09 }.prefix { $0 > 0x40 }.prefix(16)
        return String(decoding: word, as: UTF8.self).uppercased()
    }
}

extension [Query] {
    /// What they do together: that of the only one, or `BATCH`.
    var operation: String { count == 1 ? self[0].operation : "BATCH" }
}
