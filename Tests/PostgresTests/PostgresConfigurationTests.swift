import Testing

@testable import Postgres

@Suite(.serialized) struct PostgresConfigurationTests {
    @Test(arguments: [
        "postgres://reader@/octavo?host=/run/postgresql",
        "host=/run/postgresql user=reader dbname=octavo",
    ])
    func bothFormsAreRead(text: String) throws {
        let configuration = try PostgresConfiguration(text, applicationName: "octavo-storage")
        #expect(configuration.database == "octavo")
        #expect("\(configuration)" == "host=/run/postgresql dbname=octavo user=reader")
        let keywords = Dictionary(uniqueKeysWithValues: configuration.keywords.map { ($0.name, $0.value) })
        #expect(keywords["application_name"] == "octavo-storage")
        #expect(keywords["client_encoding"] == "UTF8")
        #expect(keywords["options"]?.contains("-c statement_timeout=30s") == true)
    }

    @Test func theConnectionStringsOwnOptionsComeLast() throws {
        var configuration = try PostgresConfiguration(
            "client_encoding=LATIN1 connect_timeout=9 options='-c statement_timeout=1s' application_name=mine"
        )
        configuration.settings["search_path"] = #"a b\c"#
        let keywords = Dictionary(uniqueKeysWithValues: configuration.keywords.map { ($0.name, $0.value) })
        #expect(keywords["client_encoding"] == "UTF8")
        #expect(keywords["application_name"] == "mine")
        #expect(keywords["options"]?.hasSuffix("-c statement_timeout=1s") == true)
        #expect(keywords["options"]?.contains(#"search_path=a\ b\\c"#) == true)
        #expect(configuration.connectTimeout == .seconds(9))
    }

    @Test(arguments: [
        "postgres:///octavo?host=/run/postgresql&pgbouncer=true&user=reader",
        "postgres:///octavo?pgbouncer=true&host=/run/postgresql&user=reader",
        "host=/run/postgresql dbname=octavo pgbouncer=true user=reader",
    ])
    func behindPgBouncerNothingIsSetInTheSession(text: String) throws {
        let configuration = try PostgresConfiguration(text)
        #expect(configuration.isBehindPgBouncer)
        #expect("\(configuration)" == "host=/run/postgresql dbname=octavo user=reader")
        #expect(!configuration.keywords.contains { $0.name == "options" })
        #expect(try !PostgresConfiguration("dbname=a pgbouncer=false").isBehindPgBouncer)
        #expect(throws: PostgresError.self) { try PostgresConfiguration("dbname=a pgbouncer=yes") }
    }

    @Test(arguments: [
        "postgres://user:hunter2@host:x:1/db",
        "postgres://user:hunter2@[::1/db",
        "postgres://user:hunter2@/db?hunter2=1",
        "postgres://user:hunter2@/db?host=/a=hunter2",
        "postgres://user:%zzhunter2@/db",
        "postgres://user:%00hunter2@/db",
        "host=/a password='hunter2",
        "host=/a hunter2",
        #"host=/a hunter2"x"="y"#,
        #"a"b"hunter2=1"#,
        "hunter2=1",
        "password=hunter2 sslmode",
        "password=hunter2\0",
        "password=hunter2 host=db.example.com",
        "postgres://user:hunter2@db.example.com/octavo",
    ])
    func aBadStringIsRefusedWithoutEchoingThePassword(text: String) {
        let error = #expect(throws: PostgresError.self) { try PostgresConfiguration(text) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.debugDescription.contains("hunter2") == false)
        #expect(error?.reason.isEmpty == false)
    }

    @Test func theReasonIsLibpqs() {
        let error = #expect(throws: PostgresError.self) { try PostgresConfiguration("sslmod=disable") }
        #expect(error?.reason == "invalid connection option …")
        let other = #expect(throws: PostgresError.self) { try PostgresConfiguration("dbname") }
        #expect(other?.reason == #"missing "=" after … in connection info string"#)
    }

    @Test(arguments: ["host=localhost", "host=127.0.0.1,/tmp,::1", "host=db.example.com hostaddr=10.0.0.1", "dbname=x"])
    func whatNeedsNoNameServerIsAccepted(text: String) throws {
        _ = try PostgresConfiguration(text)
    }

    @Test func thePasswordIsShownNowhere() throws {
        let configuration = try PostgresConfiguration("host=/run user=a password=hunter2")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in [dumped, "\(configuration)", String(reflecting: configuration)] {
            #expect(!text.contains("hunter2"))
        }
    }
}
