/// A provider's key. It cannot be printed, dumped or logged by mistake; only ``reveal()`` gives it.
struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    /// White space around a key comes from the file it was read from. `nil` for what cannot be sent as a header, which is
    /// refused here because an HTTP client would name the value in its error.
    init?(_ text: String) {
        let visible = text.utf8.drop { $0 <= 0x20 }
        let end = visible.lastIndex { $0 > 0x20 }
        guard let end else { return nil }
        let key = visible[...end]
        guard key.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        self.value = String(decoding: key, as: UTF8.self)
    }

    func reveal() -> String { value }

    var description: String { "(secret)" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(reflecting: description) }

    /// `text` without words that are the key, hold a good part of it, or look like a key: providers echo those.
    static func redact(_ text: String, _ secret: Secret?) -> String {
        text.split(separator: " ", omittingEmptySubsequences: false)
            .map { word in
                let isKey =
                    word.contains("sk-") || word.contains("***") || secret.map { $0.isShared(with: word) } ?? false
                return isKey ? "(removed)" : String(word)
            }
            .joined(separator: " ")
    }

    /// Whether eight characters in a row of the key are in the word; fewer occur by chance. Of a shorter key, all of it.
    private func isShared(with word: Substring) -> Bool {
        let key = Array(value.utf8)
        let length = min(8, key.count)
        let word = Array(word.utf8)
        guard word.count >= length else { return false }
        return (0...(key.count - length)).contains { start in
            let part = key[start..<(start + length)]
            return (0...(word.count - length)).contains { word[$0..<($0 + length)].elementsEqual(part) }
        }
    }
}
