/// How a migration stands to a database.
public struct MigrationStanding: Sendable, Hashable {
    /// What became of it there.
    public enum State: Sendable, Hashable {
        /// It was applied, at this time (RFC 3339).
        case applied(at: String)
        /// It would be applied next, in its order.
        case missing
        /// It was applied, and its text is another one now.
        case edited
        /// It was applied, and this program does not know it.
        case unknown
        /// It is missing, and one with a higher number was applied.
        case misplaced(behind: Int)
    }

    /// Its number.
    public let number: Int
    /// Its name.
    public let name: String
    /// What became of it.
    public let state: State

    /// Why nothing can be applied; nil where this one is no reason.
    public var error: MigrationError? {
        switch state {
        case .applied, .missing: nil
        case .edited: .edited(number: number, name: name)
        case .unknown: .unknown(number: number, name: name)
        case .misplaced(let applied): .outOfOrder(number: number, name: name, applied: applied)
        }
    }
}

extension Migrations {
    struct Known {
        let migration: Migration
        let checksum: String
    }

    private struct Applied {
        let number: Int
        let name: String
        let checksum: String
        let at: String
    }

    /// How each stands, those that only the database knows included, by number. Nothing is changed.
    public func standings(
        on connection: PostgresConnection,
        deadline: ContinuousClock.Instant? = nil
    ) async throws(MigrationError) -> [MigrationStanding] {
        try await compare(on: connection, deadline: deadline ?? .now + Self.longest).standings
    }

    /// What is missing. Throws for those that stand in the way.
    func pending(
        on connection: PostgresConnection,
        deadline: ContinuousClock.Instant
    ) async throws(MigrationError) -> [Known] {
        let (standings, known) = try await compare(on: connection, deadline: deadline)
        // What was applied first: a misplaced one may be nothing but the sequel of an edited history.
        for standing in standings where standing.state == .edited || standing.state == .unknown {
            if let error = standing.error { throw error }
        }
        for standing in standings { if let error = standing.error { throw error } }
        let missing = Set(standings.lazy.filter { $0.state == .missing }.map(\.number))
        return known.filter { missing.contains($0.migration.number) }
    }

    /// Compares what was applied with what there is.
    private func compare(
        on connection: PostgresConnection,
        deadline: ContinuousClock.Instant
    ) async throws(MigrationError) -> (standings: [MigrationStanding], known: [Known]) {
        let applied: [Applied]
        let known: [Known]
        do throws(PostgresError) {
            applied = try await self.applied(on: connection, deadline)
            known = zip(all, try await checksums(on: connection, deadline)).map { Known(migration: $0, checksum: $1) }
        } catch {
            throw .database(error)
        }
        let done = Dictionary(uniqueKeysWithValues: applied.map { ($0.number, $0) })
        let last = applied.last?.number ?? 0
        var standings = known.map { one in
            let (number, name) = (one.migration.number, one.migration.name)
            let state: MigrationStanding.State
            if let done = done[number] {
                state = done.checksum == one.checksum ? .applied(at: done.at) : .edited
            } else {
                state = number < last ? .misplaced(behind: last) : .missing
            }
            return MigrationStanding(number: number, name: name, state: state)
        }
        let numbers = Set(all.map(\.number))
        for one in applied where !numbers.contains(one.number) {
            standings.append(MigrationStanding(number: one.number, name: one.name, state: .unknown))
        }
        return (standings.sorted { $0.number < $1.number }, known)
    }

    private func applied(
        on connection: PostgresConnection,
        _ deadline: ContinuousClock.Instant
    ) async throws(PostgresError) -> [Applied] {
        let exists = try await connection.query(
            "select to_regclass('octavo_migration') is not null",
            isReadOnly: true,
            deadline: deadline
        )
        guard try exists[0][0, as: Bool.self] else { return [] }
        let rows = try await connection.query(
            """
            select number, name, checksum,
                to_char(applied_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
            from octavo_migration order by number
            """,
            isReadOnly: true,
            deadline: deadline
        )
        var applied: [Applied] = []
        for row in rows {
            applied.append(
                Applied(
                    number: try row[0, as: Int.self],
                    name: try row[1, as: String.self],
                    checksum: try row[2, as: String.self],
                    at: try row[3, as: String.self]
                )
            )
        }
        return applied
    }

    /// SHA-256 of each text. Postgres computes it, so that this module needs no cryptography of its own.
    private func checksums(
        on connection: PostgresConnection,
        _ deadline: ContinuousClock.Instant
    ) async throws(PostgresError) -> [String] {
        let rows = try await connection.query(
            """
            select encode(sha256(convert_to(sql, 'UTF8')), 'hex')
            from unnest(\(all.map(\.sql))) with ordinality as migration (sql, place) order by place
            """,
            isReadOnly: true,
            deadline: deadline
        )
        var checksums: [String] = []
        for row in rows { checksums.append(try row[0, as: String.self]) }
        return checksums
    }
}
