import FoundationEssentials
import Testing

@testable import Postgres

@Suite(.serialized) struct QueryTests {
    @Test func interpolatedValuesBecomeParameters() {
        let query: Query = "select \("a' or '1'='1") where \(7) = \(Int32(8)) order by \(unsafe: "title")"
        #expect(query.sql == "select $1 where $2 = $3 order by title")
        #expect(query.parameters.types == [25, 20, 23])
    }

    @Test func anAbsentValueKeepsItsType() {
        let absent: UUID? = nil
        let query: Query = "select \(absent)"
        #expect(query.parameters.types == [2950])
    }

    @Test(arguments: ["admin\0evil", "\0", "end\0"])
    func aTextWithNULIsRefusedBeforeSending(text: String) async throws {
        let query: Query = "select \(text)"
        #expect(query.parameters.refusal?.code == .invalidParameter)
        let connection = try await newConnection()
        #expect(await code { try await connection.query(query) } == .invalidParameter)
        #expect(await code { try await connection.query("select \([text])") } == .invalidParameter)
        #expect(await code { try await connection.query("select \(PostgresJSON(text))") } == .invalidParameter)
        #expect(await code { try await connection.query(Query(unsafe: text)) } == .invalidParameter)
        #expect(await code { try await connection.run(script: text) } == .invalidParameter)
        #expect(try await connection.query("select 1")[0][0, as: Int.self] == 1)
    }

    @Test(arguments: [Double.nan, .infinity, -1e300, 1e17])
    func aDateThatPostgresCannotHoldIsRefused(seconds: Double) {
        let query: Query = "select \(Date(timeIntervalSinceReferenceDate: seconds))"
        #expect(query.parameters.refusal?.code == .invalidParameter)
    }

    @Test func tooManyParametersAreRefused() {
        var interpolation = Query.Interpolation(literalCapacity: 0, interpolationCount: 0)
        for number in 0...65_535 { interpolation.appendInterpolation(number) }
        #expect(Query(stringInterpolation: interpolation).parameters.refusal?.code == .invalidParameter)
    }

    @Test func tooManyBytesAreRefused() {
        let bytes = [UInt8](repeating: 0, count: Parameters.maximumBytes + 1)
        #expect(("select \(bytes)" as Query).parameters.refusal?.code == .invalidParameter)
    }

    @Test func statementsOfOneNameAreKeptApart() {
        var cache = StatementCache()
        let query: Query = "select \(1)"
        let name = StatementCache.name(of: query)
        #expect(cache.plan(query) == .prepareFirst(name))
        #expect(cache.plan(query) == .prepared(name))
        #expect(cache.plan("select \(Int32(1))") != .prepared(name))
        cache.remove(query)
        #expect(cache.plan(query) == .prepareFirst(name))
    }

    @Test func statementsBeyondTheLimitRunUnprepared() {
        var cache = StatementCache()
        for number in 0..<StatementCache.limit { _ = cache.plan(Query(unsafe: "select \(number)")) }
        #expect(cache.plan("select 'more'") == .unprepared)
        #expect(cache.count == StatementCache.limit)
    }
}
