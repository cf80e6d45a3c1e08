internal import NIOCore

/// Reads a small object of whole numbers, texts, truths, other such objects and `JSON` straight from the text: a third of what
/// `JSONDecoder` costs, which every call would pay.
///
/// It only ever succeeds. Whatever it does not know, and whatever is wrong, is left to `JSONDecoder`, whose errors say where
/// it is.
struct ObjectDecoder: Decoder {
    /// Larger texts are not looked through in the hope that they are such objects.
    static let mostOctets = 4096

    /// What is thrown has to be remembered as well: a type may catch it, and go on as if there were nothing.
    private final class Attempt {
        var hasFailed = false

        func fail() -> Unknown {
            hasFailed = true
            return Unknown()
        }
    }

    private struct Unknown: Error {}

    private let members: [(key: String, value: JSON)]
    private let attempt: Attempt

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    private init(_ members: [(key: String, value: JSON)], _ attempt: Attempt) {
        self.members = members
        self.attempt = attempt
    }

    /// The value as a type, or nil for `JSONDecoder` to try.
    static func decode<T: Decodable>(_ type: T.Type, from json: JSON) -> T? {
        guard json.bytes.readableBytes <= mostOctets, let members = json.members else { return nil }
        let attempt = Attempt()
        guard let value = try? T(from: ObjectDecoder(members, attempt)), !attempt.hasFailed else { return nil }
        return value
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(Container(members: members, attempt: attempt))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw attempt.fail() }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { throw attempt.fail() }

    private struct Container<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let members: [(key: String, value: JSON)]
        let attempt: Attempt

        var codingPath: [any CodingKey] { [] }
        var allKeys: [Key] { members.compactMap { Key(stringValue: $0.key) } }

        private func value(_ key: Key) -> JSON? { members.first { $0.key == key.stringValue }?.value }

        func contains(_ key: Key) -> Bool { value(key) != nil }

        func decodeNil(forKey key: Key) throws -> Bool {
            guard let value = value(key) else { throw attempt.fail() }
            return value == .null
        }

        func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
            guard let value = value(key) else { throw attempt.fail() }
            let found: Any? =
                if type == Int.self {
                    value.integer
                } else if type == String.self {
                    value.string
                } else if type == Bool.self {
                    value.bool
                } else if type == JSON.self {
                    value
                } else if let members = value.members {
                    try T(from: ObjectDecoder(members, attempt))
                } else {
                    nil
                }
            guard let found = found as? T else { throw attempt.fail() }
            return found
        }

        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type,
            forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> {
            throw attempt.fail()
        }

        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw attempt.fail() }
        func superDecoder() throws -> any Decoder { throw attempt.fail() }
        func superDecoder(forKey key: Key) throws -> any Decoder { throw attempt.fail() }
    }
}
