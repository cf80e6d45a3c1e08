internal import FoundationEssentials
internal import NIOCore

/// Writes an object of numbers, texts, truths, points in time, lists, other such objects and `JSON`, as `JSONEncoder` would: what
/// `ObjectDecoder` is for reading. Whatever it does not know is left to `JSONEncoder`.
final class ObjectEncoder: Encoder {
    private struct Unknown: Error {}

    /// What the value turned out to be.
    private enum Form {
        case unknown, object, list
        case single(Value)
    }

    /// What is in it, written at the end: most is so small that a buffer of its own would cost more than all the rest.
    private enum Value {
        case null
        case bool(Bool)
        case integer(Int)
        case number(Double)
        case string(String)
        case json(JSON)
    }

    /// Types that hold themselves may be nested deeper than what travels; others are not.
    private static let harmlessDepth = 8

    private var members: [(key: String, value: Value)] = []
    private var elements: [Value] = []
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
        guard (try? value.encode(to: encoder)) != nil, case .object = encoder.form,
            case .json(let json)? = encoder.value
        else {
            return nil
        }
        // Levels of nesting add up; all else is lawful by itself.
        let isHarmless = !encoder.hasForeignText && encoder.depth <= harmlessDepth
        return isHarmless ? json : try? JSON(validating: json.bytes)
    }

    private var value: Value? {
        guard !hasFailed else { return nil }
        switch form {
        case .unknown: return nil
        case .single(let value): return value
        case .list: return .json(list)
        case .object: return .json(object)
        }
    }

    private var list: JSON {
        var text = ByteBufferAllocator().buffer(capacity: 128)
        text.writeStaticString("[")
        for (index, element) in elements.enumerated() {
            if index > 0 { text.writeStaticString(",") }
            Self.write(element, to: &text)
        }
        text.writeStaticString("]")
        return JSON(trusted: text)
    }

    private var object: JSON {
        var text = ByteBufferAllocator().buffer(capacity: 256)
        text.writeStaticString("{")
        // Sorted, so that the same value is the same text in every process.
        for (index, member) in members.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }).enumerated() {
            if index > 0 { text.writeStaticString(",") }
            text.writeJSONString(member.key)
            text.writeStaticString(":")
            Self.write(member.value, to: &text)
        }
        text.writeStaticString("}")
        return JSON(trusted: text)
    }

    private static func write(_ value: Value, to text: inout ByteBuffer) {
        switch value {
        case .null: text.writeStaticString("null")
        case .bool(let truth): text.writeStaticString(truth ? "true" : "false")
        case .integer(let number): text.writeString(String(number))
        case .number(let number): text.writeString(Self.text(of: number))
        case .string(let string): text.writeJSONString(string)
        case .json(let json): text.writeImmutableBuffer(json.bytes)
        }
    }

    /// The shortest that reads as the same number, a whole one without its fraction.
    private static func text(of number: Double) -> String {
        let text = number.description
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
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

    private func value<T: Encodable>(of value: T) throws -> Value {
        switch value {
        case let number as Int: return .integer(number)
        case let string as String: return .string(string)
        case let truth as Bool: return .bool(truth)
        case let json as JSON:
            hasForeignText = true
            return .json(json)
        case let number as Double where number.isFinite: return .number(number)
        case let date as Date: return .string(JSON.text(of: date))
        // Numbers that are none.
        case is Double: throw fail()
        default:
            let nested = ObjectEncoder()
            try value.encode(to: nested)
            hasForeignText = hasForeignText || nested.hasForeignText
            depth = max(depth, nested.depth + 1)
            guard let value = nested.value else { throw fail() }
            return value
        }
    }

    private struct Container<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let encoder: ObjectEncoder
        var codingPath: [any CodingKey] { [] }

        func encodeNil(forKey key: Key) throws { encoder.members.append((key.stringValue, .null)) }
        // These three need not be found out as what they are.
        func encode(_ value: Bool, forKey key: Key) throws { encoder.members.append((key.stringValue, .bool(value))) }
        func encode(_ value: Int, forKey key: Key) throws { encoder.members.append((key.stringValue, .integer(value))) }
        func encode(_ value: String, forKey key: Key) throws {
            encoder.members.append((key.stringValue, .string(value)))
        }
        func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
            encoder.members.append((key.stringValue, try encoder.value(of: value)))
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
        func encode<T: Encodable>(_ value: T) throws { encoder.elements.append(try encoder.value(of: value)) }

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
            guard
                value is Int || value is String || value is Bool || value is JSON || value is Double || value is Date
            else { throw encoder.fail() }
            encoder.form = .single(try encoder.value(of: value))
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
