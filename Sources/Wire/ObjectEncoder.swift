internal import FoundationEssentials
internal import NIOCore

/// Writes an object of numbers, texts, truths, points in time, lists, other such objects and `JSON`, as `JSONEncoder` would: what
/// `ObjectDecoder` is for reading. Whatever it does not know is left to `JSONEncoder`.
///
/// One encoder writes all of a value: what is nested is written by the same one, one level up. So few things are allocated, of which
/// a call has to be encoded on each side of a socket.
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
        /// What was nested: where it stands in `text`.
        case written(Range<Int>)
    }

    /// Types that hold themselves may be nested deeper than what travels; others are not.
    private static let harmlessDepth = 8
    /// Up to so many members are put into their order where they stand.
    private static let fewMembers = 32

    /// The members of objects and the elements of lists that are being written, those of the outermost first.
    private var entries: [(key: String, value: Value)] = []
    /// Where those of the innermost begin.
    private var start = 0
    private var form = Form.unknown
    private var level = 1
    private var depth = 1
    private var text = ByteBufferAllocator().buffer(capacity: 256)
    /// Also where a type caught the error.
    private var hasFailed = false
    private var hasForeignText = false

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    private init() {
        entries.reserveCapacity(16)
    }

    /// The value's encoding, or nil for `JSONEncoder` to try.
    static func encode(_ value: some Encodable) -> JSON? {
        let encoder = ObjectEncoder()
        guard (try? value.encode(to: encoder)) != nil, case .object = encoder.form,
            case .written(let range)? = encoder.takeValue(), !encoder.hasFailed
        else {
            return nil
        }
        // Levels of nesting add up; all else is lawful by itself.
        let isHarmless = !encoder.hasForeignText && encoder.depth <= harmlessDepth
        let text = encoder.text(at: range)
        return isHarmless ? JSON(trusted: text) : try? JSON(validating: text)
    }

    private func text(at range: Range<Int>) -> ByteBuffer {
        if range.lowerBound == 0 { return text }
        var copy = ByteBufferAllocator().buffer(capacity: range.count)
        // The range lies within the text, so there always is such a slice.
        copy.writeImmutableBuffer(text.getSlice(at: range.lowerBound, length: range.count) ?? ByteBuffer())
        return copy
    }

    /// What the innermost value came to, whose parts are let go of.
    private func takeValue() -> Value? {
        defer { entries.removeSubrange(start...) }
        guard !hasFailed else { return nil }
        switch form {
        case .unknown: return nil
        case .single(let value): return value
        case .list: return .written(writeList())
        case .object: return .written(writeObject())
        }
    }

    private func writeList() -> Range<Int> {
        let begin = text.writerIndex
        text.writeStaticString("[")
        for index in start..<entries.count {
            if index > start { text.writeStaticString(",") }
            write(entries[index].value)
        }
        text.writeStaticString("]")
        return begin..<text.writerIndex
    }

    private func writeObject() -> Range<Int> {
        sortMembers()
        if entries.count - start > Limits.keysPerObject { hasFailed = true }
        let begin = text.writerIndex
        text.writeStaticString("{")
        for index in start..<entries.count {
            // Foundation writes the last of two, and the wire takes no U+0000.
            if index > start, entries[index].key == entries[index - 1].key { hasFailed = true }
            if entries[index].key.utf8.contains(0) { hasFailed = true }
            if index > start { text.writeStaticString(",") }
            text.writeJSONString(entries[index].key)
            text.writeStaticString(":")
            write(entries[index].value)
        }
        text.writeStaticString("}")
        return begin..<text.writerIndex
    }

    /// Sorted, so that the same value is the same text in every process.
    private func sortMembers() {
        func precedes(_ one: String, _ other: String) -> Bool { one.utf8.lexicographicallyPrecedes(other.utf8) }
        guard entries.count - start <= Self.fewMembers else {
            let sorted = entries[start...].sorted { precedes($0.key, $1.key) }
            return entries.replaceSubrange(start..., with: sorted)
        }
        // Of so few the simplest way is the fastest, and it takes no memory.
        for index in (start..<entries.count).dropFirst() {
            var place = index
            while place > start, precedes(entries[place].key, entries[place - 1].key) {
                entries.swapAt(place, place - 1)
                place -= 1
            }
        }
    }

    private func write(_ value: Value) {
        switch value {
        case .null: text.writeStaticString("null")
        case .bool(let truth): text.writeStaticString(truth ? "true" : "false")
        case .integer(let number): text.writeString(String(number))
        case .number(let number): text.writeString(Self.text(of: number))
        case .string(let string): text.writeJSONString(string)
        case .json(let json): text.writeImmutableBuffer(json.bytes)
        case .written(let range):
            // Readable bytes of the same buffer: the copy cannot fail.
            let copied = try? text.copyBytes(at: range.lowerBound, to: text.writerIndex, length: range.count)
            text.moveWriterIndex(forwardBy: copied ?? 0)
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
        switch form {
        case .unknown: form = .object
        case .object: break
        case .list, .single: hasFailed = true
        }
        return KeyedEncodingContainer(Container(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        switch form {
        case .unknown: form = .list
        case .list: break
        case .object, .single: hasFailed = true
        }
        return List(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        if case .unknown = form {} else { hasFailed = true }
        return Single(encoder: self)
    }

    private func add(_ key: String, _ value: Value) { entries.append((key, value)) }

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
        // Numbers that are none, and what Foundation writes otherwise than it writes itself.
        case is Double, is URL, is Data: throw fail()
        default: return try nested(value)
        }
    }

    private func nested<T: Encodable>(_ value: T) throws -> Value {
        let outer = (start, form)
        (start, form) = (entries.count, .unknown)
        level += 1
        depth = max(depth, level)
        defer {
            level -= 1
            (start, form) = outer
        }
        do {
            try value.encode(to: self)
        } catch {
            // Whoever catches it may go on; what Foundation would make of that is its own affair.
            hasFailed = true
            _ = takeValue()
            throw error
        }
        guard let value = takeValue() else { throw fail() }
        return value
    }

    private struct Container<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let encoder: ObjectEncoder
        var codingPath: [any CodingKey] { [] }

        func encodeNil(forKey key: Key) throws { encoder.add(key.stringValue, .null) }
        // These three need not be found out as what they are.
        func encode(_ value: Bool, forKey key: Key) throws { encoder.add(key.stringValue, .bool(value)) }
        func encode(_ value: Int, forKey key: Key) throws { encoder.add(key.stringValue, .integer(value)) }
        func encode(_ value: String, forKey key: Key) throws { encoder.add(key.stringValue, .string(value)) }
        func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
            encoder.add(key.stringValue, try encoder.value(of: value))
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
        var count: Int { encoder.entries.count - encoder.start }

        func encodeNil() throws { encoder.add("", .null) }
        func encode<T: Encodable>(_ value: T) throws { encoder.add("", try encoder.value(of: value)) }

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
