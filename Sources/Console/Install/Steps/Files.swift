import FoundationEssentials
import Glibc

/// Programs, units and documentation. A file that is as it should be is not touched, so its time says when it last changed.
struct Files: InstallStep {
    /// What was put where, a path a line: for what a later version no longer has, and for taking it all back.
    private static let list = "/usr/lib/octavo/installed"
    private static let command = "/usr/bin/octavo"
    /// Behind the path of a file that was replaced, for as long as it may have to be put back.
    private static let before = ".octavo-before"
    private static let commandTarget = "../lib/octavo/octavo"

    let title = "files"
    /// Nil when there is only something to take back.
    let checkout: Checkout?

    func apply(on host: Host) async throws -> String {
        guard let checkout else { return "" }
        let files = try checkout.files()
        var changed = 0
        for file in files where try replace(file, on: host) { changed += 1 }
        try link(on: host)
        let paths = files.map(\.to) + [Self.command]
        let gone = Set(Self.installed(on: host)).subtracting(paths)
        try Self.remove(gone, on: host)
        try write(paths.joined(separator: "\n") + "\n", to: Self.list, on: host)
        if host.isMachine, changed + gone.count > 0 { try await host.run("systemctl", ["daemon-reload"]) }
        if !host.isMachine { try Self.forget(on: host) }
        let removed = gone.isEmpty ? "" : ", \(gone.count) removed"
        return changed == 0 && gone.isEmpty ? "as they were" : "\(changed) of \(files.count) written\(removed)"
    }

    func undo(on host: Host) async throws -> String {
        let installed = Self.installed(on: host)
        try Self.remove(Set(installed + [Self.list]), on: host)
        if host.isMachine {
            try await host.run("systemctl", ["daemon-reload"])
            // Forgets units that had failed and are no more.
            try await host.attempt("systemctl", ["reset-failed", "octavo*"])
        }
        return "\(installed.count) removed"
    }

    static func installed(on host: Host) -> [String] {
        (host.text(of: list) ?? "").split(separator: "\n").map(String.init)
    }

    /// With the folders that nothing is left in then.
    private static func remove(_ paths: Set<String>, on host: Host) throws {
        var folders: Set<String> = []
        for path in paths.sorted() {
            try host.remove(path)
            var names = path.split(separator: "/").dropLast()
            // Above its own folders there are the system's.
            while names.contains(where: { $0.hasPrefix("octavo") }) {
                folders.insert(names.map { "/\($0)" }.joined())
                names.removeLast()
            }
        }
        for folder in folders.sorted(by: { $0.count > $1.count }) { host.removeIfEmpty(folder) }
    }

    // MARK: The files before

    /// Puts back what this installation has replaced: it stops in its middle.
    static func putBack(on host: Host) async throws {
        guard !host.isDryRun else { return }
        for path in installed(on: host) where host.exists(path + before) {
            rename(host.root + path + before, host.root + path)
        }
        try await host.run("systemctl", ["daemon-reload"])
    }

    /// From here on there is no way back.
    static func forget(on host: Host) throws {
        for path in installed(on: host) { try host.remove(path + before) }
    }

    // MARK: One file

    /// Whether it had to be written. It is replaced as a whole: a program that runs goes on as it was, and whoever starts
    /// one gets the old or the new one.
    private func replace(_ file: Checkout.File, on host: Host) throws -> Bool {
        if file.isInPlace(on: host) { return false }
        let path = host.root + file.to
        guard !host.isDryRun else {
            host.would("write \(path)")
            return true
        }
        let draft = path + ".octavo-new"
        do {
            let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try? FileManager.default.removeItem(atPath: draft)
            try FileManager.default.copyItem(atPath: file.from, toPath: draft)
        } catch {
            throw Failure("\(path) cannot be written from \(file.from): \(error).")
        }
        unlink(path + Self.before)
        // Without an earlier one there is nothing to put back.
        Glibc.link(path, path + Self.before)
        try put(draft, in: path, mode: file.mode)
        return true
    }

    private func write(_ text: String, to place: String, on host: Host) throws {
        guard !host.isDryRun, host.text(of: place) != text else { return }
        let path = host.root + place
        let draft = path + ".octavo-new"
        guard FileManager.default.createFile(atPath: draft, contents: Data(text.utf8)) else {
            throw Failure("\(draft) cannot be written: \(String(cString: strerror(errno))).")
        }
        try put(draft, in: path, mode: 0o644)
    }

    /// On the disk before it has its name: after a power cut there is the old or the new one, and no empty one.
    private func put(_ draft: String, in path: String, mode: mode_t) throws {
        let descriptor = open(draft, O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        guard descriptor >= 0, fchmod(descriptor, mode) == 0, fsync(descriptor) == 0, rename(draft, path) == 0 else {
            throw Failure("\(path) cannot be written: \(String(cString: strerror(errno))).")
        }
    }

    private func link(on host: Host) throws {
        let path = host.root + Self.command
        if (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) == Self.commandTarget { return }
        guard !host.exists(Self.command) else {
            throw Failure("\(path) is there and is not Octavo's; move it away, then install again.")
        }
        guard !host.isDryRun else { return host.would("link \(path) to \(Self.commandTarget)") }
        try? FileManager.default.createDirectory(atPath: host.root + "/usr/bin", withIntermediateDirectories: true)
        guard symlink(Self.commandTarget, path) == 0 else {
            throw Failure("\(path) cannot be made: \(String(cString: strerror(errno))).")
        }
    }
}
