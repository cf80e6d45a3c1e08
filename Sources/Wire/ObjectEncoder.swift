internal import NIOCore

/// Writes a small object of whole numbers, texts, truths, other such objects and `JSON`, as `JSONEncoder` would: what
/// `ObjectDecoder` is for reading. Whatever it does not know is left to `JSONEncoder`.
final class ObjectEncoder: Encoder {
    private struct Unknown: Error {}

    private var members: [(key: String, value: JSON)] = []
    private var isObject = false
    /// Also where a type caught the error.
    private var hasFailed = false
    private var hasForeignText = false

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    /// The value's encoding, or nil for `JSONEncoder` to try.
    static func encode(_ value: some Encodable) -> JSON? {
        let encoder = ObjectEncoder()
        guard (try? value.encode(to: encoder)) != nil, let json = encoder.json else { return nil }
        // Levels of nesting add up; all else is lawful by itself.
        return encoder.hasForeignText ? try? JSON(validating: json.bytes) : json
    }

    private var json: JSON? {
        guard isObject, !hasFailed else { return nil }
        var text = ByteBufferAllocator().buffer(capacity: 128)
        text.writeStaticString("{")
        // Sorted, so that the same value is the same text in every process.
        for (index, member) in members.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }).enumerated() {
            if index > 0 { text.writeStaticString(",") }
            text.writeJSONString(member.key)
            text.writeStaticString(":")
            text.writeImmutableBuffer(member.value.bytes)
        }
        text.writeStaticString("}")
        return JSON(trusted: text)
    }

    private func fail() -> Unknown {
        hasFailed = true
        return Unknown()
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        isObject = true
        return KeyedEncodingContainer(Container(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        hasFailed = true
        return Refusal(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        hasFailed = true
        return Refusal(encoder: self)
    }

    private func add<T: Encodable>(_ value: T, _ key: String) throws {
        let text: JSON?
        switch value {
        case let number as Int: text = JSON(trusted: String(number))
        // U+0000 may not travel: JSONEncoder's text is refused because of it.
        case let string as String: text = string.utf8.contains(0) ? nil : JSON(string: string)
        case let truth as Bool: text = JSON(trusted: truth ? "true" : "false")
        case let json as JSON:
            hasForeignText = true
            text = json
        default:
            let nested = ObjectEncoder()
            try value.encode(to: nested)
            text = nested.json
            hasForeignText = true
        }
        guard let text else { throw fail() }
        members.append((key, text))
    }

    private struct Container<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let encoder: ObjectEncoder
        var codingPath: [any CodingKey] { [] }

        func encodeNil(forKey key: Key) throws { encoder.members.append((key.stringValue, .null)) }
        func encode<T: Encodable>(_ value: T, forKey key: Key) throws { try encoder.add(value, key.stringValue) }

        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type,
            forKey key: Key
        ) -> KeyedEncodingContainer<Nested> {
            encoder.hasFailed = true
            return KeyedEncodingContainer(Container<Nested>(encoder: encoder))
        }

        func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { encoder.unkeyedContainer() }
        func superEncoder() -> any Encoder { failed() }
        func superEncoder(forKey key: Key) -> any Encoder { failed() }

        private func failed() -> any Encoder {
            encoder.hasFailed = true
            return encoder
        }
    }

    /// Stands where JSON has something that is no object.
    private struct Refusal: UnkeyedEncodingContainer, SingleValueEncodingContainer {
        let encoder: ObjectEncoder
        var codingPath: [any CodingKey] { [] }
        var count: Int { 0 }

        func encodeNil() throws { throw Unknown() }
        func encode<T: Encodable>(_ value: T) throws { throw Unknown() }

        func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
            KeyedEncodingContainer(Container<Nested>(encoder: encoder))
        }

        func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { self }
        func superEncoder() -> any Encoder { encoder }
    }
}
