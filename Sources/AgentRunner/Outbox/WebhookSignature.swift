import Contract
import FoundationEssentials

/// The secrets of webhooks, by their names: `NAME=whsec_…`, with spaces or line ends between them. A name may stand there twice,
/// while a receiver changes from one secret to another: then both sign.
struct WebhookSecrets: Sendable {
    /// Bytes of a secret. Shorter ones could be guessed.
    private static let lengths = 24...64

    /// What is wrong with the credential, without its words.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    private var secrets: [String: [[UInt8]]] = [:]

    init(_ text: String) throws(Refusal) {
        for (place, word) in text.split(whereSeparator: \.isWhitespace).enumerated() {
            let parts = word.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[1].hasPrefix("whsec_"),
                let key = Data(base64Encoded: String(parts[1].dropFirst(6))),
                Self.lengths.contains(key.count)
            else {
                throw Refusal(
                    description: "word \(place + 1) of webhook-secrets is not NAME=whsec_ and 24 to 64 bytes in base64"
                )
            }
            secrets[String(parts[0]), default: []].append(Array(key))
        }
    }

    /// The header `webhook-signature`; nil where there is no secret of that name.
    func signature(for name: String, id: String, timestamp: Int, body: String) -> String? {
        guard let keys = secrets[name] else { return nil }
        let signed = Array("\(id).\(timestamp).\(body)".utf8)
        return keys.map { "v1," + Data(HMAC.sha256(signed, key: $0)).base64EncodedString() }.joined(separator: " ")
    }
}
