import Console
import Contract
import Daemon
import Postgres
import RPC
import TestSupport
import Testing

/// Tables that another role than storage's changes.
@Suite(.serialized) struct MigrationRoleTests {
    /// An empty database with an owner and a role for storage: its address for each.
    private func makeDatabase() async throws -> (owner: String, service: String) {
        let server = try await TestDatabase.make()
        let name = "roles_\(UInt32.random(in: 0 ... .max))"
        let connection = try await PostgresConnection.connect(PostgresConfiguration(server))
        for statement in [
            "create role \(name)_owner login", "create role \(name)_service login",
            "create database \(name) owner \(name)_owner template template0",
            "revoke all on database \(name) from public", "grant connect on database \(name) to \(name)_service",
        ] { try await connection.run(script: statement) }
        await connection.close()
        // The last of two settings of the same name counts.
        return (
            "\(server) dbname=\(name) user=\(name)_owner", "\(server) dbname=\(name) user=\(name)_service"
        )
    }

    private func migrate(_ owner: String, for role: String) async throws -> ChildProcess.Exit {
        var launch = try ChildProcess.Launch(path: House.programs() + "/octavo-storage")
        launch.environment = ["DATABASE_URL": owner, "OCTAVO_MIGRATIONS": "only", "OCTAVO_DATABASE_ROLE": role]
        return try await ChildProcess(launch).waitForExit()
    }

    @Test func storageWaitsForTheOwnerAndThenReadsAndWritesRows() async throws {
        let (owner, service) = try await makeDatabase()
        let role = String(service.split(separator: "=").last ?? "")
        try await TestHouse.run(database: service, settings: ["OCTAVO_MIGRATIONS": "await"]) { house in
            try await eventually {
                try await house.withAdmin(of: "storage") { try await $0.perform(GetHealth()) }.reasons
                    .contains { $0.contains("migration 1 (books) is missing: systemctl start octavo-migrate.service") }
            }
            let refused = try await house.octavo(["run", "migrate", "--run-folder", house.runFolder])
            #expect(refused.exit == .code(1) && refused.errors.contains("may not change tables"), "\(refused.errors)")

            #expect(try await migrate(owner, for: role) == .code(0))
            try await house.waitUntilReady()
            try await house.importBook("Handbook", handbook)
            // The engine's tables, sequence, functions and view are for its role too.
            var run = EnqueueRun(run: .new(), agent: "echo", question: Question(text: "How?", channel: .http))
            run.lane = "one"
            try await house.withAdmin(of: "storage") { [run] storage in
                _ = try await storage.perform(run)
                try await eventually { try await storage.perform(GetRun(run: run.run)).state == .succeeded }
                _ = try await storage.perform(ListCosts(by: .agent))
            }
            // Once more: nothing is missing, and the rights are as they were.
            #expect(try await migrate(owner, for: role) == .code(0))
        }
        let connection = try await PostgresConnection.connect(PostgresConfiguration(service))
        for statement in [
            "create table own ()", "drop table book", "alter table book add own text",
            "delete from octavo_migration", "create temporary table own ()",
        ] {
            do throws(PostgresError) {
                try await connection.run(script: statement)
                Issue.record("it may \(statement)")
            } catch {
                #expect(error.sqlState?.rawValue == "42501", "\(statement): \(error)")
            }
        }
        await connection.close()
    }

    @Test func withoutADatabaseThereIsNothingToMigrate() async throws {
        #expect(try await migrate("", for: "nobody") == .code(78))
    }
}
