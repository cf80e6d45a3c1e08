/// The two roles have the rights they need and no others, and come in by their users alone.
struct RightsCheck: DoctorCheck {
    private static let again = "Run octavo install again: it sets roles, rights and access anew."

    let subject = "database rights"

    func findings(on host: Host) async throws -> [Finding] {
        guard try await DatabasePlace.current(on: host) == .local else {
            return [Finding(subject: "database rights are seen to on the other machine")]
        }
        guard Self.isRoot else { return unknown(Self.onlyRoot) }
        let missing = try await host.askSQL(
            """
            select string_agg(name, ', ') from (values ('\(Host.ownerRole)'), ('\(Host.serviceRole)')) as role (name)
            where name not in (select rolname from pg_roles)
            """
        )
        guard missing.isEmpty else { return [wrong("the role \(missing) is missing", mend: Self.again)] }
        guard try await !host.askSQL("select 1 from pg_database where datname = '\(Host.database)'").isEmpty else {
            return [wrong("there is no database \(Host.database)", mend: Self.again)]
        }
        let problems = try await host.askSQL(Self.questions, in: Host.database).split(separator: "\n")
        return sum(
            problems.map { wrong(String($0), mend: Self.again) } + (try await rules(host)),
            good: "\(Host.serviceRole) reads and writes rows, \(Host.ownerRole) changes tables, nobody else is let in"
        )
    }

    /// Each row is a problem.
    private static let questions = """
        select rolname || ' may do more than it needs: it is a superuser, or makes databases or roles' from pg_roles
        where rolname in ('\(Host.ownerRole)', '\(Host.serviceRole)') and (rolsuper or rolcreatedb or rolcreaterole or rolbypassrls)
        union all
        select '\(Host.serviceRole) may make tables' where has_schema_privilege('\(Host.serviceRole)', 'public', 'create')
        union all
        select '\(Host.serviceRole) owns ' || relname from pg_class where relowner = '\(Host.serviceRole)'::regrole
        union all
        select '\(Host.serviceRole) may not write ' || relname from pg_class
        where relnamespace = 'public'::regnamespace and relkind = 'r' and relname <> 'octavo_migration'
            and not has_table_privilege('\(Host.serviceRole)', oid, 'select,insert,update,delete')
        union all
        select rolname || ' may connect to the database' from pg_roles
        where not rolsuper and rolcanlogin and rolname not in ('\(Host.ownerRole)', '\(Host.serviceRole)')
            and has_database_privilege(rolname, '\(Host.database)', 'connect')
        """

    private func rules(_ host: Host) async throws -> [Finding] {
        let rules = try await host.askSQL(
            "select auth_method from pg_hba_file_rules where '\(Host.serviceRole)' = any (user_name) order by line_number"
        )
        let isAsMade = rules.split(separator: "\n").first == "peer"
        return isAsMade ? [] : [wrong("pg_hba.conf has lost Octavo's lines", mend: Self.again)]
    }
}
