/// A bot's token. It cannot be printed, dumped or logged by mistake; only ``reveal()`` gives it.
struct SlackToken: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    /// White space around a token comes from the file it was read from. Nil for what cannot be sent in a header.
    init?(_ text: String) {
        let token = text.utf8.drop { $0 <= 0x20 }
        guard let end = token.lastIndex(where: { $0 > 0x20 }),
            token[...end].allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        value = String(decoding: token[...end], as: UTF8.self)
    }

    func reveal() -> String { value }

    var description: String { "(secret)" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(reflecting: description) }
}
