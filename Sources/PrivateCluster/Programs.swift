import Glibc

/// Where Postgres' programs are.
struct Programs: Sendable {
    let directory: String

    func path(_ program: String) -> String { "\(directory)/\(program)" }

    /// Those of the version asked for; else those on the PATH, or the newest below Debian's and Red Hat's directories.
    static func find(
        version wanted: Int? = nil,
        path: String = getenv("PATH").map { String(cString: $0) } ?? "",
        below parents: [String] = ["/usr/lib/postgresql", "/usr"]
    ) throws(PrivateClusterError) -> Programs {
        let onPath = path.split(separator: ":").map(String.init)
        let installed = parents.flatMap { parent in
            entries(of: parent)
                .compactMap { name in version(name).map { ($0, "\(parent)/\(name)/bin") } }
                .sorted { $0.0 > $1.0 }
        }
        let fitting = installed.filter { $0.0 == wanted }
        for directory in fitting.map(\.1) + onPath + installed.map(\.1) where hasPrograms(directory) {
            return Programs(directory: directory)
        }
        throw .programsMissing
    }

    private static func hasPrograms(_ directory: String) -> Bool {
        ["initdb", "postgres", "createdb"].allSatisfy { access("\(directory)/\($0)", X_OK) == 0 }
    }

    /// `15`, and `pgsql-15` as Red Hat has it.
    private static func version(_ name: String) -> Int? {
        Int(name.hasPrefix("pgsql-") ? name.dropFirst(6) : name[...])
    }
}

/// The names in a directory; none when it cannot be read.
func entries(of directory: String) -> [String] {
    guard let handle = opendir(directory) else { return [] }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
        names.append(
            withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
        )
    }
    return names
}
