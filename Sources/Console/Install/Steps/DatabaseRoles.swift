/// The database and its two roles: the owner, who changes tables, and storage's, which reads and writes rows.
struct DatabaseRoles: InstallStep {
    /// On what was made here, and so may be dropped again.
    private static let mark = "made by octavo install"

    let title = "database"

    func apply(on host: Host) async throws -> String {
        var made: [String] = []
        for role in [Host.ownerRole, Host.serviceRole] where try await !exists(role: role, on: host) {
            try await host.runSQL(
                """
                create role "\(role)" login;
                comment on role "\(role)" is '\(Self.mark)'
                """
            )
            made.append(role)
        }
        if try await makeDatabase(on: host) { made.append(Host.database) }
        try await settle(on: host)
        return made.isEmpty ? "as it was" : "\(made.joined(separator: ", "))"
    }

    /// Drops what was made here and nothing else.
    func undo(on host: Host) async throws -> String {
        var gone: [String] = []
        let databases =
            "select from pg_database where datname = '\(Host.database)' and shobj_description(oid, 'pg_database') = '\(Self.mark)'"
        if try await !host.askSQL("select 1 where exists (\(databases))").isEmpty {
            try await host.runSQL("drop database \"\(Host.database)\" with (force)")
            gone.append(Host.database)
        }
        for role in [Host.serviceRole, Host.ownerRole] {
            let roles =
                "select from pg_roles where rolname = '\(role)' and shobj_description(oid, 'pg_authid') = '\(Self.mark)'"
            guard try await !host.askSQL("select 1 where exists (\(roles))").isEmpty else { continue }
            try await host.runSQL("drop role \"\(role)\"")
            gone.append(role)
        }
        return gone.isEmpty ? "nothing of Octavo's was there" : "\(gone.joined(separator: ", ")) dropped"
    }

    private func exists(role: String, on host: Host) async throws -> Bool {
        try await !host.askSQL("select 1 from pg_roles where rolname = '\(role)'").isEmpty
    }

    private func makeDatabase(on host: Host) async throws -> Bool {
        let owner = try await host.askSQL(
            "select pg_get_userbyid(datdba) from pg_database where datname = '\(Host.database)'"
        )
        guard owner.isEmpty else {
            guard owner == Host.ownerRole else {
                throw Failure(
                    """
                    There is a database \(Host.database) already, and it belongs to \(owner). If it is Octavo's: in psql, \
                    alter database \(Host.database) owner to "\(Host.ownerRole)", and in it, \
                    reassign owned by "\(owner)" to "\(Host.ownerRole)". If not, rename it.
                    """
                )
            }
            return false
        }
        // As `octavo up` makes its own: sorted by code points, whatever the machine's language is.
        try await host.runSQL(
            """
            create database "\(Host.database)" owner "\(Host.ownerRole)" template template0 encoding 'UTF8' locale 'C.UTF-8'
            """
        )
        try await host.runSQL("comment on database \"\(Host.database)\" is '\(Self.mark)'")
        return true
    }

    /// Who may do what, said anew each time: nobody connects besides the two, and storage's role makes nothing.
    private func settle(on host: Host) async throws {
        try await host.runSQL(
            """
            alter role "\(Host.ownerRole)" nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
            alter role "\(Host.serviceRole)" nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
            revoke all on database "\(Host.database)" from public;
            grant connect on database "\(Host.database)" to "\(Host.serviceRole)";
            alter role "\(Host.serviceRole)" in database "\(Host.database)" set search_path = public
            """
        )
        // Nothing that a storage at work needs, not for a moment.
        try await host.runSQL(
            """
            revoke all on schema public from public;
            revoke create on schema public from "\(Host.serviceRole)"
            """,
            in: Host.database
        )
    }
}
