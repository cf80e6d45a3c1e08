import Console
package import Daemon
import FoundationEssentials
import Glibc

extension TestHouse {
    /// What a command line printed, and how it ended.
    package struct Output: Sendable {
        package var exit: ChildProcess.Exit
        package var text: String
        package var errors: String
    }

    /// Runs `octavo` as a person would, without a terminal.
    package func octavo(_ arguments: [String], environment: [String: String] = [:]) async throws -> Output {
        var environment = environment
        environment["OCTAVO_URL"] = address
        let file = runFolder + "/output-\(UInt32.random(in: 0 ... .max))"
        return try await Self.octavo(arguments, environment: environment, output: file)
    }

    /// Runs `octavo` with no house around it.
    ///
    /// - Parameter file: where its output is kept meanwhile.
    package static func octavo(
        _ arguments: [String],
        environment: [String: String] = [:],
        output file: String
    ) async throws -> Output {
        let output = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        let errors = open(file + "-errors", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        defer {
            close(output)
            close(errors)
            unlink(file)
            unlink(file + "-errors")
        }
        var launch = try ChildProcess.Launch(path: House.programs() + "/octavo")
        launch.arguments = arguments
        launch.environment = environment
        launch.standardOutput = output
        launch.standardError = errors
        let exit = try await ChildProcess(launch).waitForExit()
        return Output(exit: exit, text: text(file), errors: text(file + "-errors"))
    }

    /// Imports files, by name and text, as a book.
    @discardableResult
    package func importBook(_ title: String, _ files: [String: String], authors: [String] = []) async throws -> Output {
        let folder = "/tmp/octavo-book-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, text) in files {
            let path = folder + "/" + name
            let parent = String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
            try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            guard FileManager.default.createFile(atPath: path, contents: Data(text.utf8)) else {
                throw TestHouseError("\(path) cannot be written")
            }
        }
        let names = authors.flatMap { ["--author", $0] }
        let output = try await octavo(
            ["books", "import", folder, "--title", title, "--run-folder", runFolder, "--json"] + names
        )
        guard output.exit == .code(0) else { throw TestHouseError("import failed: \(output.errors)") }
        return output
    }

    private static func text(_ path: String) -> String {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}

/// A small handbook to ask questions of.
package let handbook: [String: String] = [
    "holidays.md": """
    # Holidays

    ## Asking for a day off

    To request a day off, write to your lead at least two weeks before. Your lead answers within three working days.

    ## Carrying days over

    Unused days are carried over until the end of March. The setting `carry_over_limit` caps them at ten.
    """,
    "expenses/travel.md": """
    # Travel expenses

    Keep every receipt. Receipts are handed in with the form `EXP_7` within thirty days.

    ## Trains

    Trains are booked in second class. First class is allowed on journeys of more than four hours.
    """,
]
