internal import Configuration
internal import FoundationEssentials

/// What a daemon was told from outside: its environment, a file of settings, and its credentials.
///
/// A credential is a file of `$CREDENTIALS_DIRECTORY` (systemd.exec(5), `LoadCredential=`). The file
/// `slack-signing-secret` and the variable `SLACK_SIGNING_SECRET` are the same setting, `slack.signing.secret`; the
/// file wins, and only the file keeps the secret out of `/proc/PID/environ`.
struct Settings: Sendable {
    /// systemd's own limit for all credentials of a unit is 1 MB; ours are keys of a few hundred bytes.
    static let credentialLimit = 64 * 1024

    /// By variable name. An empty value counts as not given: it is what a commented-out line of an environment file
    /// and the `SetCredential=` default of an optional credential leave behind.
    private(set) var values: [String: String]
    private var secrets: Set<String>

    /// - Parameter secrets: the variables that hold a secret even when they come from the environment.
    init(environment: [String: String], secrets: Set<String> = []) throws(ConfigurationError) {
        self.values = environment.filter { !$0.value.isEmpty }
        self.secrets = secrets
        if let path = values["OCTAVO_SETTINGS"] {
            for (name, value) in try SettingsFile.read(path) { values[name] = value.isEmpty ? nil : value }
        }
        guard let directory = values["CREDENTIALS_DIRECTORY"] else { return }
        for (name, value) in try Self.credentials(in: directory) {
            values[name] = value
            self.secrets.insert(name)
        }
    }

    /// The reader for the composition; secret values are marked so that swift-configuration redacts them.
    var reader: ConfigReader {
        ConfigReader(
            provider: EnvironmentVariablesProvider(
                environmentVariables: values,
                secretsSpecifier: .specific(secrets)
            )
        )
    }

    private static func credentials(in directory: String) throws(ConfigurationError) -> [String: String] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
            throw ConfigurationError("The credentials directory \(directory) cannot be read.")
        }
        var found: [String: String] = [:]
        for name in names where !name.hasPrefix(".") {
            let value = try credential(at: directory + "/" + name)
            if !value.isEmpty { found[variable(for: name)] = value }
        }
        return found
    }

    private static func credential(at path: String) throws(ConfigurationError) -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError("The credential \(path) cannot be read by this user.")
        }
        guard data.count <= credentialLimit else {
            throw ConfigurationError("The credential \(path) is larger than \(credentialLimit) bytes.")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw ConfigurationError("The credential \(path) is not UTF-8 text.")
        }
        // Editors and `echo` end a file with a newline that is not part of the key.
        return text.trimmingCharacters { $0.isNewline || $0 == " " || $0 == "\t" }
    }

    static func variable(for credential: String) -> String {
        String(credential.uppercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }
}

extension String {
    fileprivate func trimmingCharacters(where isTrimmed: (Character) -> Bool) -> String {
        var rest = self[...]
        while let first = rest.first, isTrimmed(first) { rest.removeFirst() }
        while let last = rest.last, isTrimmed(last) { rest.removeLast() }
        return String(rest)
    }
}
