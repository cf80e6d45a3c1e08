import FoundationEssentials
import Testing

/// Holds every module's imports to the floor table of the README.
@Suite struct ImportTests {
    /// Our modules, floor by floor. `Slack` and `ReleaseNotes` have their place for when they come.
    private static let floors: [[String]] = [
        ["CLibPQ", "CSystemd", "CLinux"],
        [
            "Wire", "Postgres", "PrivateCluster", "Systemd", "Agents", "Slack", "Documents", "ReleaseNotes",
            "ScriptedProvider",
        ],
        ["Contract", "AgentFiles", "Daemon", "Traces"],
        ["RPC"],
        ["Gateway", "AgentRunner", "Storage", "Console"],
        ["octavo-gateway", "octavo-agent-runner", "octavo-storage", "octavo", "OctavoTesting"],
    ]

    /// What only one module may see.
    private static let owners: [String: String] = [
        "CLibPQ": "Postgres",
        "CSystemd": "Systemd",
        "Hummingbird": "Gateway",
        "HummingbirdCore": "Gateway",
        "Yams": "AgentFiles",
    ]

    @Test func everyModuleStandsInTheTable() throws {
        let known = Set(Self.floors.joined())
        for module in try modules() { #expect(known.contains(module), "\(module) has no floor") }
    }

    @Test func importsPointDownOnlyAndNeverSideways() throws {
        let floor = Dictionary(
            uniqueKeysWithValues: Self.floors.enumerated().flatMap { floor, modules in modules.map { ($0, floor) } }
        )
        for module in try modules() {
            let own = try #require(floor[module])
            for (file, imported) in try imports(of: module) {
                guard let other = floor[imported] else { continue }
                #expect(other < own, "\(file) imports \(imported) from floor \(other)")
            }
        }
    }

    @Test func whatBelongsToOneModuleIsImportedByItAlone() throws {
        for module in try modules() {
            for (file, imported) in try imports(of: module) {
                if let owner = Self.owners[imported] { #expect(module == owner, "\(file) imports \(imported)") }
            }
        }
    }

    @Test func nobodyImportsTheWholeOfFoundation() throws {
        for module in try modules() {
            for (file, imported) in try imports(of: module) { #expect(imported != "Foundation", "\(file)") }
        }
    }

    @Test func filesAreShortEnoughToRead() throws {
        for module in try modules() {
            for file in try swiftFiles(of: module) {
                let lines = try text(of: file).utf8.count { $0 == UInt8(ascii: "\n") }
                #expect(lines <= 320, "\(file) has \(lines) lines: split it by concept")
            }
        }
    }

    @Test func theReadmeNamesEveryModule() throws {
        let readme = try text(of: root + "/README.md")
        for module in try modules() { #expect(readme.contains("`\(module)`"), "\(module)") }
    }

    // MARK: Reading the tree

    private var root: String {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }

    private func modules() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root + "/Sources").filter { !$0.hasPrefix(".") }.sorted()
    }

    private func swiftFiles(of module: String) throws -> [String] {
        let folder = root + "/Sources/" + module
        return try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasSuffix(".swift") }
            .map { folder + "/" + $0 }
    }

    private func imports(of module: String) throws -> [(file: String, module: String)] {
        try swiftFiles(of: module).flatMap { file in
            try text(of: file).split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ")
                guard let index = words.firstIndex(of: "import"), index <= 2, index + 1 < words.count,
                    words[..<index].allSatisfy({
                        ["public", "package", "internal", "private", "@testable"].contains($0)
                    })
                else { return nil }
                return (file, String(words[index + 1]))
            }
        }
    }

    private func text(of file: String) throws -> String {
        String(decoding: try #require(FileManager.default.contents(atPath: file)), as: UTF8.self)
    }
}
