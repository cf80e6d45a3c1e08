import PrivateCluster
import Testing

@testable import Postgres

/// Texts one side cannot hold.
@Suite(.serialized, .timeLimit(.minutes(5))) struct TextFaultTests {
    /// In text format libpq would cut it at the NUL, and `admin` would arrive.
    @Test func aNULInATextIsRefusedAndNeverCut() async throws {
        let connection = try await newConnection()
        for query: Query in ["select \("admin\0evil")", "select \(["a", "b\0"])", Query(unsafe: "select 1\0")] {
            #expect(await code { try await connection.query(query) } == .invalidParameter)
        }
        #expect(connection.condition == .clean)
        // Past this side's check the server refuses it too, since it comes in binary format.
        let bytes = Array("admin\0evil".utf8)
        #expect(
            await code { try await connection.query("select convert_from(\(bytes), 'UTF8')") }
                == .sqlState(.characterNotInRepertoire)
        )
        #expect(
            await code { try await connection.query("select \(PostgresJSON(#"{"a":"\u0000"}"#))->>'a'") }
                == .sqlState(.untranslatableCharacter)
        )
    }

    @Test func invalidUTF8IsRefusedByTheServer() async throws {
        let connection = try await newConnection()
        for bytes: [UInt8] in [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x61, 0xe2, 0x82]] {
            #expect(
                await code { try await connection.query("select convert_from(\(bytes), 'UTF8')") }
                    == .sqlState(.characterNotInRepertoire)
            )
        }
    }

    /// It would keep and give out whatever it was given.
    @Test func invalidUTF8FromADatabaseWithoutEncodingIsRefusedByTheServer() async throws {
        var configuration = try await newDatabase()
        let name = "bytes_\(try #require(configuration.database))"
        let maker = try await PostgresConnection.connect(configuration)
        try await maker.run(script: "create database \(name) template template0 encoding sql_ascii locale 'C'")
        configuration.database = name
        let connection = try await PostgresConnection.connect(configuration)
        let failed = await code { try await connection.query(#"select E'\xff'::text"#) }
        #expect(failed == .sqlState(.characterNotInRepertoire))
        #expect(try await connection.query("select 'whole'::text")[0][0, as: String.self] == "whole")
    }

    @Test func noErrorsDescriptionQuotesData() async throws {
        let connection = try await newConnection()
        try await connection.run(
            script: """
                create table book (title text primary key, pages int4 check (pages > 0));
                insert into book values ('hunter2', 1)
                """
        )
        let text = "hunter2"
        for query: Query in [
            "insert into book values (\(text), 1)", "select \(text)::int4",
            "insert into book values (\(text + "a"), -1)",
            "select \(PostgresJSON("{\(text)"))",
            "do $$ begin raise exception 'hunter2' using detail = 'hunter2'; end $$",
        ] {
            let error = await #expect(throws: PostgresError.self) { try await connection.query(query) }
            #expect(error?.sqlState != nil)
            #expect("\(try #require(error))".contains("hunter2") == false)
        }
    }
}
