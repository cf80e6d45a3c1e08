/// One of several words. Who sends another one is told which there are.
public protocol Choice: RawRepresentable, Codable, CaseIterable, Sendable where RawValue == String {}

extension Choice {
    /// All of them, for people.
    public static var words: String { allCases.map(\.rawValue).joined(separator: ", ") }

    /// Reads the form of the protocol.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let choice = Self(rawValue: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "it is one of \(Self.words).")
        }
        self = choice
    }
}
