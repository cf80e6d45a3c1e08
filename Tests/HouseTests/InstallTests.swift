import Console
import Daemon
import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// The files of an installation, in a folder in place of the machine. What needs a machine is in `BootTests`.
@Suite(.serialized) struct InstallTests {
    private func withRoot(_ body: (String) async throws -> Void) async throws {
        let root = "/tmp/octavo-root-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        try await body(root)
    }

    private func install(_ root: String, _ arguments: String...) async throws -> TestHouse.Output {
        try await TestHouse.octavo(["install", "--root", root] + arguments, output: root + ".output")
    }

    private func inode(_ path: String) -> UInt {
        var status = stat()
        return stat(path, &status) == 0 ? UInt(status.st_ino) : 0
    }

    @Test func everyFileHasItsPlaceAndInstallingAgainTouchesNone() async throws {
        try await withRoot { root in
            let first = try await install(root)
            #expect(first.exit == .code(0), "\(first.errors)")
            let unit = "\(root)/usr/lib/systemd/system/octavo-storage.service"
            for path in [
                unit, "\(root)/usr/lib/octavo/octavo-gateway", "\(root)/usr/lib/sysusers.d/octavo.conf",
                "\(root)/usr/lib/tmpfiles.d/octavo.conf", "\(root)/usr/share/doc/octavo/examples/remote-postgres.conf",
                "\(root)/usr/lib/systemd/system/octavo-.service.d/10-sandbox.conf",
                "\(root)/usr/share/doc/octavo/protocol/storage.md",
            ] { #expect(access(path, F_OK) == 0, "\(path)") }
            let command = try FileManager.default.destinationOfSymbolicLink(atPath: root + "/usr/bin/octavo")
            #expect(command == "../lib/octavo/octavo")

            let before = inode(unit)
            let again = try await install(root)
            #expect(again.text.contains("as they were") && inode(unit) == before, "\(again.text)")

            // A unit that somebody has edited, and one that this version does not have any more.
            try "[Unit]\n".write(toFile: unit, atomically: false, encoding: .utf8)
            let old = "/usr/lib/systemd/system/octavo-old.service"
            let list = root + "/usr/lib/octavo/installed"
            try "".write(toFile: root + old, atomically: false, encoding: .utf8)
            let paths = try String(contentsOfFile: list, encoding: .utf8)
            try (paths + old + "\n").write(toFile: list, atomically: false, encoding: .utf8)
            let third = try await install(root)
            #expect(third.text.contains("1 of") && third.text.contains("1 removed"), "\(third.text)")
            #expect(access(root + old, F_OK) != 0 && inode(unit) != before)
            #expect(
                try String(contentsOfFile: unit, encoding: .utf8).contains("ExecStart=/usr/lib/octavo/octavo-storage")
            )
        }
    }

    @Test func aDryRunWritesNothing() async throws {
        try await withRoot { root in
            let output = try await install(root, "--dry-run")
            #expect(output.text.contains("would write \(root)/usr/lib/octavo/octavo-storage"), "\(output.text)")
            #expect(output.text.hasSuffix("Nothing was done.\n") && !output.text.contains("written"), "\(output.text)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: root).isEmpty)
        }
    }

    @Test func anotherProgramOfThatNameIsLeftAlone() async throws {
        try await withRoot { root in
            try FileManager.default.createDirectory(atPath: root + "/usr/bin", withIntermediateDirectories: true)
            try "mine".write(toFile: root + "/usr/bin/octavo", atomically: false, encoding: .utf8)
            let output = try await install(root, "--dry-run")
            #expect(output.exit == .code(1) && output.errors.contains("is not Octavo's"), "\(output.errors)")
        }
    }

    @Test func keepingAndPurgingAreOpposites() async throws {
        try await withRoot { root in
            let output = try await TestHouse.octavo(
                ["uninstall", "--purge", "--keep-data", "--dry-run"],
                output: root + ".output"
            )
            #expect(output.exit == .code(64) && output.errors.contains("opposites"), "\(output.errors)")
        }
    }
}
