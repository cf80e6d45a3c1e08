internal import FoundationEssentials

/// A file of settings, which unlike the environment can change while the process runs: `NAME=value` a line, as systemd takes
/// it for `EnvironmentFile=` (systemd.exec(5)), without its continued lines.
enum SettingsFile {
    /// Some hundred settings with comments.
    static let limit = 64 * 1024

    /// The settings in their order. None when there is no such file: what the package brings may name one that the
    /// administrator has not made.
    static func read(_ path: String) throws(ConfigurationError) -> [(name: String, value: String)] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError("The settings file \(path) cannot be read by this user.")
        }
        guard data.count <= limit, let text = String(validating: data, as: UTF8.self) else {
            throw ConfigurationError("The settings file \(path) is not text of at most \(limit) bytes.")
        }
        var settings: [(name: String, value: String)] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = trimmed(line)
            guard let first = line.first, first != "#", first != ";" else { continue }
            guard let setting = setting(line) else {
                // Not the line itself: it may hold a secret.
                throw ConfigurationError("Line \(index + 1) of \(path) is not of the form NAME=value.")
            }
            settings.append(setting)
        }
        return settings
    }

    private static func setting(_ line: Substring) -> (name: String, value: String)? {
        guard let equals = line.firstIndex(of: "=") else { return nil }
        let name = line[..<equals]
        var value = trimmed(line[line.index(after: equals)...])
        if let quote = value.first, quote == "\"" || quote == "'" {
            guard value.count >= 2, value.last == quote else { return nil }
            value = value.dropFirst().dropLast()
        }
        let isName =
            name.first?.isNumber == false
            && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        guard isName, !value.contains("\0"), !value.hasSuffix("\\") else { return nil }
        return (String(name), String(value))
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return text
    }
}
