internal import FoundationEssentials

/// A key as its holder has it: `octavo_7_` and 43 characters of base64url, which are 256 random bits.
///
/// The number finds it, the bits prove it. What is stored of them is their SHA-256, and not one of the slow hashes that
/// passwords need: those make it dear to guess what people think of, and nobody guesses 256 random bits however fast each
/// try is. A fast one keeps a wrong key cheap to refuse.
public struct APIKey: Sendable, CustomStringConvertible {
    private static let scheme = "octavo"
    private static let secretBytes = 32

    /// The key's id.
    public let id: Int
    /// What is stored of it.
    public let digest: KeyDigest
    private let secret: [UInt8]

    /// A new secret, before the key has its id.
    public struct Secret: Sendable {
        fileprivate let bytes: [UInt8]

        /// Random bits of the system's generator, getrandom(2).
        public init() {
            var generator = SystemRandomNumberGenerator()
            bytes = (0..<APIKey.secretBytes).map { _ in UInt8.random(in: 0...255, using: &generator) }
        }

        /// What is stored of it.
        public var digest: KeyDigest { KeyDigest(of: bytes) }
    }

    /// The key of this id.
    public init(id: Int, _ secret: Secret) {
        self.id = id
        self.secret = secret.bytes
        digest = secret.digest
    }

    /// Reads a key; nil for anything that is not written exactly as `text` writes it.
    public init?(_ text: some StringProtocol) {
        // The base64url after it has underscores of its own.
        let parts = text.split(separator: "_", maxSplits: 2, omittingEmptySubsequences: false)
        guard text.utf8.count <= 80, parts.count == 3, parts[0] == Self.scheme,
            let id = Int(parts[1]), id > 0, String(id) == parts[1]
        else { return nil }
        let base64 = parts[2].map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }
        guard let secret = Data(base64Encoded: String(base64) + "="), secret.count == Self.secretBytes else {
            return nil
        }
        self.id = id
        self.secret = Array(secret)
        digest = KeyDigest(of: self.secret)
        // The last character has two bits that mean nothing: one spelling is enough.
        guard self.text == text else { return nil }
    }

    /// What its holder sends. A secret: it stands nowhere but in the answer that made it.
    public var text: String {
        let base64 = Data(secret).base64EncodedString().dropLast().map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }
        return "\(prefix)_\(String(base64))"
    }

    /// The part that may be shown: `octavo_7`.
    public var prefix: String { Self.prefix(of: id) }

    /// The part that may be shown, of the key of this id.
    public static func prefix(of id: Int) -> String { "\(scheme)_\(id)" }

    /// For logs: without the secret.
    public var description: String { "\(prefix)_…" }
}

/// The SHA-256 of a key's secret, which travels and is stored as 64 hex digits.
public struct KeyDigest: Codable, Sendable, Equatable {
    private static let digits = Array("0123456789abcdef".utf8)
    private static let count = 64

    /// 64 hex digits.
    public let hex: String

    fileprivate init(of secret: [UInt8]) {
        let octets = SHA256.digest(secret).flatMap { [Self.digits[Int($0 >> 4)], Self.digits[Int($0 & 15)]] }
        hex = String(decoding: octets, as: UTF8.self)
    }

    /// Reads 64 hex digits, in lower case.
    public init?(hex: String) {
        guard hex.utf8.count == Self.count, hex.utf8.allSatisfy(Self.digits.contains) else { return nil }
        self.hex = hex
    }

    /// As it travels.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let digest = Self(hex: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "it has to be 64 hex digits")
        }
        self = digest
    }

    /// As it travels.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hex)
    }

    /// Takes the same time wherever the two differ first.
    public static func == (one: Self, other: Self) -> Bool {
        zip(one.hex.utf8, other.hex.utf8).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
