internal import NIOCore

/// Writes an object of whole numbers, texts, truths, lists, other such objects and `JSON`, as `JSONEncoder` would: what
/// `ObjectDecoder` is for reading. Whatever it does not know is left to `JSONEncoder`.
final class ObjectEncoder: Encoder {
    private struct Unknown: Error {}

    /// What the value turned out to be.
    private enum Form {
        case unknown, object, list
        case single(JSON)
    }

    /// Types that hold themselves may be nested deeper than what travels; others are not.
    private static let harmlessDepth = 8

    private var members: [(key: String, value: JSON)] = []
    private var elements: [JSON] = []
    private var form = Form.unknown
    private var depth = 1
    /// Also where a type caught the error.
    private var hasFailed = false
    private var hasForeignText = false

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    /// The value's encoding, or nil for `JSONEncoder` to try.
    static func encode(_ value: some Encodable) -> JSON? {
        let encoder = ObjectEncoder()
        guard (try? value.encode(to: encoder)) != nil, case .object = encoder.form, let json = encoder.json else {
            return nil
        }
        // Levels of nesting add up; all else is lawful by itself.
        let isHarmless = !encoder.hasForeignText && encoder.depth <= harmlessDepth
        return isHarmless ? json : try? JSON(validating: json.bytes)
    }

    private var json: JSON? {
        guard !hasFailed else { return nil }
        switch form {
        case .unknown: return nil
        case .single(let json): return json
        case .list: return JSON(array: elements)
        case .object: break
        }
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
        if case .unknown = form { form = .object }
        return KeyedEncodingContainer(Container(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .unknown = form { form = .list }
        return List(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { Single(encoder: self) }

    private func text<T: Encodable>(of value: T) throws -> JSON {
        let text: JSON?
        switch value {
        case let number as Int: text = JSON(trusted: String(number))
        case let string as String: text = JSON(string: string)
        case let truth as Bool: text = JSON(trusted: truth ? "true" : "false")
        case let json as JSON:
            hasForeignText = true
            text = json
        default:
            let nested = ObjectEncoder()
            try value.encode(to: nested)
            text = nested.json
            hasForeignText = hasForeignText || nested.hasForeignText
            depth = max(depth, nested.depth + 1)
        }
        guard let text else { throw fail() }
        return text
    }

    private struct Container<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let encoder: ObjectEncoder
        var codingPath: [any CodingKey] { [] }

        func encodeNil(forKey key: Key) throws { encoder.members.append((key.stringValue, .null)) }
        func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
            encoder.members.append((key.stringValue, try encoder.text(of: value)))
        }

        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type,
            forKey key: Key
        ) -> KeyedEncodingContainer<Nested> {
            encoder.hasFailed = true
            return KeyedEncodingContainer(Container<Nested>(encoder: encoder))
        }

        func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { encoder.failedList() }
        func superEncoder() -> any Encoder { encoder.failed() }
        func superEncoder(forKey key: Key) -> any Encoder { encoder.failed() }
    }

    private struct List: UnkeyedEncodingContainer {
        let encoder: ObjectEncoder
        var codingPath: [any CodingKey] { [] }
        var count: Int { encoder.elements.count }

        func encodeNil() throws { encoder.elements.append(.null) }
        func encode<T: Encodable>(_ value: T) throws { encoder.elements.append(try encoder.text(of: value)) }

        func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
            encoder.hasFailed = true
            return KeyedEncodingContainer(Container<Nested>(encoder: encoder))
        }

        func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { encoder.failedList() }
        func superEncoder() -> any Encoder { encoder.failed() }
    }

    private struct Single: SingleValueEncodingContainer {
        let encoder: ObjectEncoder
        var codingPath: [any CodingKey] { [] }

        func encodeNil() throws { encoder.form = .single(.null) }
        /// What else there is writes itself as itself, for ever: numbers of other kinds.
        func encode<T: Encodable>(_ value: T) throws {
            guard value is Int || value is String || value is Bool || value is JSON else { throw encoder.fail() }
            encoder.form = .single(try encoder.text(of: value))
        }
    }

    private func failed() -> any Encoder {
        hasFailed = true
        return self
    }

    private func failedList() -> any UnkeyedEncodingContainer {
        hasFailed = true
        return List(encoder: self)
    }
}
