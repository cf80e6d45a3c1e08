import Postgres
import PrivateCluster
import Storage
import Synchronization

/// Databases for tests: one private cluster a test run, and a database for whoever asks, cloned from a template that has
/// Octavo's tables.
package enum TestDatabase {
    private static let template = "octavo_template"
    private static let count = Atomic(0)

    // Belongs to the process and not to whichever test asks first.
    private static let cluster = Task {
        let cluster = try await PrivateCluster.shared()
        try await cluster.createDatabase(template)
        let configuration = try PostgresConfiguration(cluster.connectionString(database: template))
        let connection = try await PostgresConnection.connect(configuration)
        try await Migrations(.octavo).apply(on: connection)
        await connection.close()
        return cluster
    }

    /// A new database with Octavo's tables, as libpq takes it.
    package static func make() async throws -> String {
        let cluster = try await cluster.value
        let name = "octavo_\(count.add(1, ordering: .relaxed).newValue)"
        try await cluster.createDatabase(name, template: template)
        return cluster.connectionString(database: name)
    }
}
