import FoundationEssentials
import Testing

@testable import Postgres

@Suite(.serialized) struct ValueTests {
    private func roundTrip<Value: PostgresValue & Equatable>(_ values: [Value]) async throws {
        let connection = try await newConnection()
        for value in values {
            let rows = try await connection.query("select \(value) as value, \(Value?.none) as nothing")
            #expect(try rows[0]["value", as: Value.self] == value)
            #expect(try rows[0]["nothing", as: Value?.self] == nil)
            #expect(try rows[0]["value", as: Value?.self] == value)
            await #expect(code { _ = try rows[0]["nothing", as: Value.self] } == .undecodable)
        }
    }

    @Test func integersSurvive() async throws {
        try await roundTrip([Int64.min, -1, 0, 1, .max])
        try await roundTrip([Int32.min, -1, 0, 1, .max])
        try await roundTrip([Int.min, 0, .max])
    }

    @Test func doublesAndBooleansSurvive() async throws {
        try await roundTrip([0.1, -0.0, .infinity, -.infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude])
        try await roundTrip([true, false])
    }

    @Test func textsSurvive() async throws {
        try await roundTrip(["", "a", "Grüße 👩‍👩‍👧 \u{1}\u{7f}", String(repeating: "x", count: 100_000)])
    }

    @Test func bytesSurvive() async throws {
        try await roundTrip([[UInt8](), [0], [0, 255, 0], Array(repeating: 7, count: 100_000)])
    }

    @Test func identifiersSurvive() async throws {
        try await roundTrip([UUID(), UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))])
    }

    @Test func datesSurviveToTheMicrosecond() async throws {
        let dates = [0, 1, 0.000_001, -0.000_001, 803_000_000.123_456, -70_000_000_000].map {
            Date(timeIntervalSinceReferenceDate: $0)
        }
        try await roundTrip(dates)
        let connection = try await newConnection()
        let rows = try await connection.query("select extract(epoch from \(dates[0]))::float8, 'infinity'::timestamptz")
        #expect(try rows[0][0, as: Double.self] == dates[0].timeIntervalSince1970)
        await #expect(code { _ = try rows[0][1, as: Date.self] } == .undecodable)
    }

    @Test func arraysSurvive() async throws {
        try await roundTrip([[Int64](), [1, -2, .max]])
        try await roundTrip([["", "a,b", "\"quoted\" {braces}", "null"], [String]()])
        try await roundTrip([[Int32](), [1, -2]])
        try await roundTrip([[true, false]])
        try await roundTrip([[0.5, .infinity]])
        try await roundTrip([[UUID(), UUID()]])
        try await roundTrip([[Date(timeIntervalSinceReferenceDate: 1)]])
    }

    @Test func arraysOfAnotherShapeAreRefused() async throws {
        let connection = try await newConnection()
        let row = try await connection.query("select array[[1, 2], [3, 4]]::int8[], array[1, null]::int8[], 7")[0]
        for column in 0..<3 {
            await #expect(code { _ = try row[column, as: [Int64].self] } == .undecodable)
        }
    }

    @Test func jsonIsPassedThroughUntouched() async throws {
        let connection = try await newConnection()
        let text = #"{"b":  1, "a":[1,2 ], "b": 2}"#
        let row = try await connection.query(
            "select \(text)::json, \(PostgresJSON(text)), null::json, \([PostgresJSON("1"), PostgresJSON("{}")])"
        )[0]
        #expect(try row.bytes(0) == Array(text.utf8))
        #expect(try String(decoding: row.bytes(1), as: UTF8.self) == #"{"a": [1, 2], "b": 2}"#)
        #expect(try row[1, as: PostgresJSON.self].bytes == row.bytes(1))
        #expect(try row.withUnsafeBytes(1) { $0.first } == UInt8(ascii: "{"))
        #expect(try row.isNull(2))
        await #expect(code { _ = try row.bytes(2) } == .undecodable)
        #expect(try row[3, as: [PostgresJSON].self] == [PostgresJSON("1"), PostgresJSON("{}")])
    }

    @Test func whatIsNotJSONTheServerRefuses() async throws {
        let connection = try await newConnection()
        #expect(
            await code { try await connection.query("select \(PostgresJSON("{"))") }
                == .sqlState(.init(rawValue: "22P02"))
        )
        let escaped = PostgresJSON(#""\u0000""#)
        #expect(await code { try await connection.query("select \(escaped)") } == .sqlState(.untranslatableCharacter))
    }

    @Test func valuesAreNotReadAsAnotherType() async throws {
        let connection = try await newConnection()
        let row = try await connection.query(
            "select 1::int8 as number, 'x' as text, 1.5::numeric as exact, row(1) as pair"
        )[0]
        await #expect(code { _ = try row["number", as: Int32.self] } == .undecodable)
        await #expect(code { _ = try row["number", as: String.self] } == .undecodable)
        await #expect(code { _ = try row["text", as: Int.self] } == .undecodable)
        await #expect(code { _ = try row["exact", as: Double.self] } == .undecodable)
        await #expect(code { _ = try row["pair", as: String.self] } == .undecodable)
        await #expect(code { _ = try row["absent", as: Int.self] } == .undecodable)
        await #expect(code { _ = try row[4, as: Int.self] } == .undecodable)
        await #expect(code { _ = try row[-1, as: Int.self] } == .undecodable)
    }

    @Test func enumsAndSmallNumbersAreRead() async throws {
        let connection = try await newConnection()
        try await connection.query("create type mood as enum ('calm', 'tense')")
        let row = try await connection.query("select \("tense")::mood, 3::int2, 4::int4, 1.5::float4")[0]
        #expect(try row[0, as: String.self] == "tense")
        #expect(try row[1, as: Int.self] == 3)
        #expect(try row[2, as: Int64.self] == 4)
        #expect(try row[3, as: Double.self] == 1.5)
    }
}
