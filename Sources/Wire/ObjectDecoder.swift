internal import FoundationEssentials
internal import NIOCore

/// Reads a small object of numbers, texts, truths, points in time, lists, other such objects and `JSON` straight from the text: a third
/// of what `JSONDecoder` costs, which every call would pay.
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

    private let json: JSON
    private let attempt: Attempt

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    private init(_ json: JSON, _ attempt: Attempt) {
        self.json = json
        self.attempt = attempt
    }

    /// The value as a type, or nil for `JSONDecoder` to try.
    static func decode<T: Decodable>(_ type: T.Type, from json: JSON) -> T? {
        guard json.bytes.readableBytes <= mostOctets, json.isObject else { return nil }
        let attempt = Attempt()
        guard let value = try? T(from: ObjectDecoder(json, attempt)), !attempt.hasFailed else { return nil }
        return value
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard let members = json.members else { throw attempt.fail() }
        return KeyedDecodingContainer(Container(members: members, attempt: attempt))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard let elements = json.elements else { throw attempt.fail() }
        return List(elements: elements, attempt: attempt)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { Single(json: json, attempt: attempt) }

    private static func value<T: Decodable>(_ type: T.Type, of json: JSON, _ attempt: Attempt) throws -> T {
        guard isLeaf(type) else { return try T(from: ObjectDecoder(json, attempt)) }
        let found: Any? =
            if type == Int.self {
                json.integer
            } else if type == String.self {
                json.string
            } else if type == Bool.self {
                json.bool
            } else if type == Double.self {
                json.number
            } else if type == Date.self {
                json.string.flatMap(JSON.time)
            } else {
                json
            }
        guard let found = found as? T else { throw attempt.fail() }
        return found
    }

    /// What is read here, and does not read itself.
    private static func isLeaf<T: Decodable>(_ type: T.Type) -> Bool {
        type == Int.self || type == String.self || type == Bool.self || type == Double.self || type == Date.self
            || type == JSON.self
    }

    private struct Container<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let members: [(key: String, value: JSON)]
        let attempt: Attempt

        var codingPath: [any CodingKey] { [] }
        var allKeys: [Key] { members.compactMap { Key(stringValue: $0.key) } }

        private func json(_ key: Key) -> JSON? { members.first { $0.key == key.stringValue }?.value }

        func contains(_ key: Key) -> Bool { json(key) != nil }

        func decodeNil(forKey key: Key) throws -> Bool {
            guard let json = json(key) else { throw attempt.fail() }
            return json == .null
        }

        // These three skip the comparisons of types below.
        func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try known(json(key)?.bool) }
        func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try known(json(key)?.integer) }
        func decode(_ type: String.Type, forKey key: Key) throws -> String { try known(json(key)?.string) }
        func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
            try ObjectDecoder.value(type, of: known(json(key)), attempt)
        }

        private func known<T>(_ found: T?) throws -> T {
            guard let found else { throw attempt.fail() }
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

    private struct List: UnkeyedDecodingContainer {
        let elements: [JSON]
        let attempt: Attempt
        var currentIndex = 0

        var codingPath: [any CodingKey] { [] }
        var count: Int? { elements.count }
        var isAtEnd: Bool { currentIndex == elements.count }

        mutating func decodeNil() throws -> Bool {
            guard !isAtEnd else { throw attempt.fail() }
            guard elements[currentIndex] == .null else { return false }
            currentIndex += 1
            return true
        }

        mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
            guard !isAtEnd else { throw attempt.fail() }
            let found = try ObjectDecoder.value(type, of: elements[currentIndex], attempt)
            currentIndex += 1
            return found
        }

        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) throws -> KeyedDecodingContainer<Nested> {
            throw attempt.fail()
        }

        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { throw attempt.fail() }
        mutating func superDecoder() throws -> any Decoder { throw attempt.fail() }
    }

    private struct Single: SingleValueDecodingContainer {
        let json: JSON
        let attempt: Attempt

        var codingPath: [any CodingKey] { [] }

        func decodeNil() -> Bool { json == .null }
        /// What else there is reads itself as itself, for ever: numbers of other kinds.
        func decode<T: Decodable>(_ type: T.Type) throws -> T {
            guard ObjectDecoder.isLeaf(type) else { throw attempt.fail() }
            return try ObjectDecoder.value(type, of: json, attempt)
        }
    }
}
