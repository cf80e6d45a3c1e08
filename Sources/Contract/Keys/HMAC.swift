/// HMAC (RFC 2104) with SHA-256, for the signatures of webhooks. Written out for the reason `SHA256` is.
package enum HMAC {
    /// The code of a message under a key.
    package static func sha256(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
        var block = key.count > 64 ? SHA256.digest(key) : key
        block += [UInt8](repeating: 0, count: 64 - block.count)
        let inner = SHA256.digest(block.map { $0 ^ 0x36 } + message)
        return SHA256.digest(block.map { $0 ^ 0x5C } + inner)
    }
}
