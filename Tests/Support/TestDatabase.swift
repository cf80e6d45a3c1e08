import OctavoTesting

/// Databases for houses, on the cluster of the test run.
package enum TestDatabase {
    /// A new database with Octavo's tables, as libpq takes it.
    package static func make() async throws -> String {
        try await OctavoTesting.TestDatabase.make()
    }
}
