import ArgumentParser
import Contract
import RPC
import Wire

/// `octavo keys`.
struct Keys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The keys of those who call over HTTP from beyond this machine.",
        discussion: """
            On a loopback address or a Unix socket the gateway asks nobody for a key; on any other address, or with \
            OCTAVO_HTTP_KEYS=always, it asks everybody:

              octavo keys create "release notes" --expires 90d
              curl -s https://octavo.example.com/v1/books -H 'Authorization: Bearer octavo_7_…'
              octavo keys revoke 7

            A key is shown once, when it is made; what is kept of it cannot be turned back into it. One that is revoked works \
            for 5 more seconds at most.
            """,
        subcommands: [KeysCreate.self, KeysList.self, KeysRevoke.self],
        defaultSubcommand: KeysList.self
    )
}

/// `octavo keys create`.
struct KeysCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a key, and show it this once.",
        discussion: """
              octavo keys create ci --expires 90d

            The key alone is written to standard output, so that it can be passed on without being seen:

              octavo keys create ci > key
            """
    )

    @Argument(help: "What the key is for, 1 to 100 characters.") var name: String
    @Option(
        help: ArgumentHelp("When it ends by itself: in 90d, 12h or 30m. (default: never)", valueName: "time")
    )
    var expires: Lifetime?
    @Flag(help: "One JSON document, for scripts: {\"key\":…,\"entry\":…} (protocol/storage.md).") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let create = CreateKey(name: name, lifetimeSeconds: expires?.seconds)
        let made = try await service.withService("storage") { try await $0.json(create) }
        if json { return Terminal.output.line(made.description) }
        let result = try made.decode(CreateKey.Result.self)
        Terminal.output.line(result.key)
        let end = result.entry.expires.map { "It expires at \($0)." } ?? "It does not expire."
        Terminal.error.line(
            "Keep it now: it is not shown again. \(end) To end it: octavo keys revoke \(result.entry.id)"
        )
    }
}

/// `octavo keys list`.
struct KeysList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Which keys there are, and when each was last used.",
        discussion: """
              octavo keys list
              octavo keys list --json | jq -r '.keys[] | select(.last_used == null) | .name'

            When a key was last used is right within a minute. Times are UTC.
            """
    )

    @Option(parsing: .unconditional, help: "Begin behind the key with this id.") var after = 0
    @Option(parsing: .unconditional, help: "How many, 1 to 500.") var limit = 100
    @Flag(help: "One JSON document, for scripts.") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let list = ListKeys(after: after, limit: limit)
        let found = try await service.withService("storage") { try await $0.json(list) }
        if json { return Terminal.output.line(found.description) }
        let page = try found.decode(ListKeys.Result.self)
        if page.keys.isEmpty { Terminal.error.line("There are no keys here. Make one: octavo keys create NAME") }
        Terminal.output.table(
            ["ID", "NAME", "PREFIX", "CREATED", "LAST USED", "EXPIRES", "REVOKED"],
            page.keys.map { key in
                [
                    "\(key.id)", Terminal.oneLine(key.name), key.prefix, Self.minute(key.created),
                    Self.minute(key.lastUsed), Self.minute(key.expires), Self.minute(key.revoked),
                ]
            }
        )
        if let next = page.next { Terminal.error.line("There are more: octavo keys list --after \(next)") }
    }

    /// `2026-01-31 12:00`.
    private static func minute(_ time: String?) -> String {
        time.map { String($0.prefix(16)).replacing("T", with: " ") } ?? "-"
    }
}

/// `octavo keys revoke`.
struct KeysRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "End a key, for good. Within 5 seconds nobody comes in with it."
    )

    @Argument(help: "The key's id, as in `octavo keys list`.") var key: Int
    @Flag(help: "One JSON document, for scripts.") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let revoke = RevokeKey(key)
        let revoked = try await service.withService("storage") { try await $0.json(revoke) }
        if json { return Terminal.output.line(revoked.description) }
        let name = try revoked.decode(KeyEntry.self).name
        Terminal.output.line("Key \(key) (\(Terminal.harmless(name))) is revoked.")
    }
}
