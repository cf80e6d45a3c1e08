import FoundationEssentials
import Glibc
import Testing

private let analyze = "/usr/bin/systemd-analyze"

/// The unit files as systemd reads them, with a program that exists in place of ours.
@Suite(
    .enabled(
        if: FileManager.default.isExecutableFile(atPath: analyze),
        "systemd-analyze is not on this machine (Debian: package systemd), so the unit files are not checked here"
    )
)
struct UnitFilesTests {
    @Test func everyUnitIsUnderstoodWithoutAWord() throws {
        try withCopy { directory, units in
            let said = try Self.run("\(analyze) --man=no verify \(units.joined(separator: " "))", in: directory)
            #expect(said.output == "")
            #expect(said.status == 0)
        }
    }

    @Test func everyExampleIsADropInThatIsUnderstood() throws {
        let examples = try FileManager.default.contentsOfDirectory(atPath: Self.units + "/examples")
        var count = 0
        for example in examples where example.hasSuffix(".conf") {
            let text = try String(contentsOfFile: "\(Self.units)/examples/\(example)", encoding: .utf8)
            // The first lines say where it is copied to.
            let places = text.split(separator: "\n").prefix { $0.hasPrefix("# /etc/") }.map { $0.dropFirst(2) }
            #expect(!places.isEmpty, "\(example) does not say where it belongs")
            for place in places where place.hasPrefix("/etc/systemd/system/") {
                let path = place.dropFirst("/etc/systemd/system/".count)
                let unit = try #require(path.split(separator: "/").first).dropLast(".d".count)
                try withCopy { directory, units in
                    let known = try #require(
                        units.contains("./\(unit)") ? unit : nil,
                        "\(example): there is no \(unit)"
                    )
                    try FileManager.default.createDirectory(
                        atPath: "\(directory)/\(known).d",
                        withIntermediateDirectories: true
                    )
                    try text.write(toFile: "\(directory)/\(path)", atomically: false, encoding: .utf8)
                    let said = try Self.run("\(analyze) --man=no verify ./\(known)", in: directory)
                    #expect(said.output == "", "\(example)")
                }
                count += 1
            }
        }
        #expect(count >= 5)
    }

    @Test func aMistakeInAUnitIsSaid() throws {
        try withCopy { directory, _ in
            let path = directory + "/octavo-gateway.service"
            let text = try #require(try? String(contentsOfFile: path, encoding: .utf8))
            try (text + "\nTypo=yes\n").write(toFile: path, atomically: false, encoding: .utf8)
            let said = try Self.run("\(analyze) --man=no verify ./octavo-gateway.service", in: directory)
            #expect(said.output.contains("Typo"))
        }
    }

    /// In tenths, as systemd-analyze rates it: 96 is no sandbox at all, and each step back would be noticed here.
    @Test(arguments: [("storage", 5), ("gateway", 5), ("agent-runner", 14)])
    func theSandboxStaysAsTightAsItIs(daemon: String, exposure: Int) throws {
        try withCopy { directory, _ in
            let command = "\(analyze) security --offline=true --threshold=\(exposure) ./octavo-\(daemon).service"
            let said = try Self.run(command, in: directory)
            #expect(said.status == 0, "\(said.output)")
        }
    }

    @Test func everySocketOfAServiceIsAUnitOfItsOwnAndBack() throws {
        let directory = Self.units
        let names = try FileManager.default.contentsOfDirectory(atPath: directory)
        func text(_ name: String) throws -> [Substring] {
            try String(contentsOfFile: directory + "/" + name, encoding: .utf8).split(separator: "\n")
        }
        var offered: [String: Set<String>] = [:]
        for socket in names where socket.hasSuffix(".socket") {
            let service = try #require(try text(socket).first { $0.hasPrefix("Service=") })
            offered[String(service.dropFirst("Service=".count)), default: []].insert(socket)
        }
        #expect(offered.count == 3)
        for (service, sockets) in offered {
            let line = try #require(try text(service).first { $0.hasPrefix("Sockets=") })
            let wanted = line.dropFirst("Sockets=".count).split(separator: " ").map(String.init)
            #expect(Set(wanted) == sockets)
        }
        let upheld = try text("octavo.target").filter { $0.hasPrefix("Upholds=") }
            .flatMap { $0.dropFirst("Upholds=".count).split(separator: " ").map(String.init) }
        #expect(Set(upheld) == offered.values.reduce(into: Set()) { $0.formUnion($1) })
    }

    private static let units: String = {
        // Tests/SystemdTests/UnitFilesTests.swift → the package's folder. Links are followed: the text is in one place.
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        if let real = realpath(#filePath, nil) {
            parts = String(cString: real).split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
            free(real)
        }
        return parts.joined(separator: "/") + "/systemd"
    }()

    private func withCopy(_ body: (_ directory: String, _ units: [String]) throws -> Void) throws {
        var template = Array("/tmp/octavo-units-XXXXXX".utf8CString)
        let directory = String(cString: try #require(mkdtemp(&template)))
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let copied = try Self.run("cp -r '\(Self.units)/.' .", in: directory)
        try #require(copied.status == 0, "\(copied.output)")
        var units: [String] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
            guard [".service", ".socket", ".target", ".slice", ".timer"].contains(where: name.hasSuffix) else {
                continue
            }
            units.append("./" + name)
            let path = directory + "/" + name
            let lines = try String(contentsOfFile: path, encoding: .utf8).split(
                separator: "\n",
                omittingEmptySubsequences: false
            )
            let text = lines.map { $0.hasPrefix("ExecStart=") ? "ExecStart=/bin/true" : $0 }.joined(separator: "\n")
            try text.write(toFile: path, atomically: false, encoding: .utf8)
        }
        try body(directory, units)
    }

    private static func run(_ command: String, in directory: String) throws -> (output: String, status: Int32) {
        let pipe = try #require(popen("cd '\(directory)' && { \(command); } 2>&1", "re"))
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&buffer, 1, buffer.count, pipe), count > 0 { output += buffer[..<count] }
        return (String(decoding: output, as: UTF8.self), pclose(pipe))
    }
}
