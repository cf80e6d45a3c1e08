import FoundationEssentials
import Glibc

/// What is installed from: the programs beside this one, and the checkout they were built in.
struct Checkout: Sendable {
    static let programs = Host.services + ["octavo"]

    /// The folder of the programs.
    let build: String
    /// The folder of `systemd`, `protocol` and the README.
    let source: String

    /// That of this program. Errors say what to do when it was not built in one.
    static func own() throws -> Checkout {
        let build = try House.programs()
        var folder = build
        while !folder.isEmpty {
            let wanted = ["systemd/octavo.target", "protocol/README.md", "README.md"].map { "\(folder)/\($0)" }
            if wanted.allSatisfy(FileManager.default.fileExists(atPath:)) {
                return Checkout(build: build, source: folder)
            }
            folder = String(folder[..<(folder.lastIndex(of: "/") ?? folder.startIndex)])
        }
        throw Failure(
            """
            \(build) is not in a checkout of Octavo, so there are no units to install. In one: \
            swift build -c release --static-swift-stdlib && sudo .build/release/octavo install
            """
        )
    }

    /// A file of the installation: where it comes from and where it goes.
    struct File: Sendable, Hashable {
        let from: String
        let to: String
        var mode: mode_t = 0o644

        /// Whether it is there as it should be.
        func isInPlace(on host: Host) -> Bool {
            let path = host.root + to
            var status = stat()
            return stat(path, &status) == 0 && status.st_mode & 0o7777 == mode
                && FileManager.default.contentsEqual(atPath: from, andPath: path)
        }
    }

    /// Every file of the installation.
    func files() throws -> [File] {
        var files = Self.programs.map { File(from: "\(build)/\($0)", to: "/usr/lib/octavo/\($0)", mode: 0o755) }
        for path in try paths(in: "systemd") {
            let name = path.split(separator: "/").last.map(String.init) ?? path
            let folder =
                switch path.split(separator: "/").first {
                case "sysusers.d": "/usr/lib/sysusers.d"
                case "tmpfiles.d": "/usr/lib/tmpfiles.d"
                case "examples": "/usr/share/doc/octavo/examples"
                case "octavo-.service.d": "/usr/lib/systemd/system/octavo-.service.d"
                default: "/usr/lib/systemd/system"
                }
            files.append(File(from: "\(source)/systemd/\(path)", to: "\(folder)/\(name)"))
        }
        files.append(File(from: "\(source)/README.md", to: "/usr/share/doc/octavo/README.md"))
        for path in try paths(in: "protocol") where path.hasSuffix(".md") {
            files.append(File(from: "\(source)/protocol/\(path)", to: "/usr/share/doc/octavo/protocol/\(path)"))
        }
        return files.sorted { $0.to < $1.to }
    }

    private func paths(in folder: String) throws -> [String] {
        let all = try FileManager.default.subpathsOfDirectory(atPath: "\(source)/\(folder)")
        return all.filter { path in
            var status = stat()
            return stat("\(source)/\(folder)/\(path)", &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        }.sorted()
    }
}
