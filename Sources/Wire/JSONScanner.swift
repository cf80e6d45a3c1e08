internal import NIOCore

/// The one strict reader of JSON text: a single pass over the octets that checks every rule of a payload
/// (`protocol/README.md`, section 1) and notes where the outermost object's members lie.
///
/// Nothing is decoded here, and what was checked is not checked again (`outline`). Whoever forwards a value keeps the slice; whoever needs it decodes it once. Time is linear
/// in the text: keys of small objects are compared one by one, of larger ones by seeded hash. Octets are read unchecked
/// by the language; `peek()` is what keeps to the bounds.
struct JSONScanner {
    /// A member of the outermost object.
    struct Member: Sendable {
        /// Unescaped, and without the quotes.
        var key: String
        /// Where its value lies in the text.
        var value: Range<Int>
    }

    /// A key of an object that is still open.
    private struct Key {
        var range: Range<Int>
        /// The key's own octets where escapes make them differ from the text's.
        var unescaped: [UInt8]?
    }

    let octets: UnsafeBufferPointer<UInt8>
    var position = 0
    private(set) var members: [Member] = []
    private var keys: [Key] = []

    init(_ octets: UnsafeBufferPointer<UInt8>) {
        self.octets = octets
    }

    /// Checks the whole text, and returns the members if it is an object.
    static func members(of text: ByteBuffer) throws(ProtocolViolation) -> [Member] {
        let result = text.withUnsafeReadableBytes { raw in
            Result { () throws(ProtocolViolation) in
                var scanner = JSONScanner(raw.bindMemory(to: UInt8.self))
                try scanner.text()
                return scanner.members
            }
        }
        return try result.get()
    }

    /// The octet at hand; 0, which is lawful nowhere, at the end.
    @inline(__always)
    func peek() -> UInt8 { position < octets.count ? octets[position] : 0 }

    func unexpected(_ what: String) -> ProtocolViolation {
        guard position < octets.count else {
            return ProtocolViolation(.syntax, "the JSON ends early, \(what) is missing")
        }
        guard octets[position] >= 0x20 else {
            return ProtocolViolation(.controlOctet, "an octet below 0x20 at octet \(position) of the payload")
        }
        return ProtocolViolation(.syntax, "\(what) is missing at octet \(position) of the payload")
    }

    private mutating func text() throws(ProtocolViolation) {
        skipSpaces()
        try value(level: 1)
        skipSpaces()
        guard position == octets.count else { throw unexpected("the end") }
    }

    /// Of JSON's white space only the space may stand in a payload.
    @inline(__always)
    mutating func skipSpaces() {
        while peek() == UInt8(ascii: " ") { position += 1 }
    }

    /// A value; `level` is the nesting it would have, were it an object or array.
    private mutating func value(level: Int) throws(ProtocolViolation) {
        switch peek() {
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "{"): try object(level: level)
        case UInt8(ascii: "["): try array(level: level)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        default: throw unexpected("a value")
        }
    }

    private mutating func literal(_ word: StaticString) throws(ProtocolViolation) {
        for offset in 0..<word.utf8CodeUnitCount {
            guard peek() == word.utf8Start[offset] else { throw unexpected("a value") }
            position += 1
        }
    }

    private mutating func enter(level: Int) throws(ProtocolViolation) {
        guard level <= Limits.nesting else {
            throw ProtocolViolation(.tooDeep, "more than \(Limits.nesting) levels of nesting")
        }
        position += 1
        skipSpaces()
    }

    private mutating func array(level: Int) throws(ProtocolViolation) {
        try enter(level: level)
        guard peek() != UInt8(ascii: "]") else { return position += 1 }
        while true {
            try value(level: level + 1)
            skipSpaces()
            switch peek() {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "]"): return position += 1
            default: throw unexpected("\",\" or \"]\"")
            }
            skipSpaces()
        }
    }

    private mutating func object(level: Int) throws(ProtocolViolation) {
        try enter(level: level)
        guard peek() != UInt8(ascii: "}") else { return position += 1 }
        let base = keys.count
        var hashes: Set<Int> = []
        while true {
            guard peek() == UInt8(ascii: "\"") else { throw unexpected("a key") }
            try key(base: base, hashes: &hashes)
            skipSpaces()
            guard peek() == UInt8(ascii: ":") else { throw unexpected("\":\"") }
            position += 1
            skipSpaces()
            let start = position
            try value(level: level + 1)
            if level == 1 { members.append(Member(key: name(of: keys[keys.count - 1]), value: start..<position)) }
            skipSpaces()
            switch peek() {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"):
                position += 1
                return keys.removeLast(keys.count - base)
            default: throw unexpected("\",\" or \"}\"")
            }
            skipSpaces()
        }
    }
}

// Keys: no object names one twice.
extension JSONScanner {
    /// Up to here comparing with each key before is cheaper than hashing.
    private static let comparedOneByOne = 16

    private mutating func key(base: Int, hashes: inout Set<Int>) throws(ProtocolViolation) {
        let start = position + 1
        let escaped = try string()
        let range = start..<position - 1
        let key = Key(range: range, unescaped: escaped ? Self.unescape(octets[range]) : nil)
        let count = keys.count - base
        guard count < Limits.keysPerObject else {
            throw ProtocolViolation(.tooManyKeys, "more than \(Limits.keysPerObject) keys in one object")
        }
        if count < Self.comparedOneByOne {
            try compare(key, with: keys[base...])
        } else {
            if count == Self.comparedOneByOne {
                for earlier in keys[base...] { hashes.insert(hash(of: earlier)) }
            }
            // Equal hashes are a repeated key or the rarest of accidents: the comparison tells.
            if !hashes.insert(hash(of: key)).inserted { try compare(key, with: keys[base...]) }
        }
        keys.append(key)
    }

    private func compare(_ key: Key, with earlier: ArraySlice<Key>) throws(ProtocolViolation) {
        for other in earlier where isSame(key, other) {
            throw ProtocolViolation(.duplicateKey, "a key stands twice in one object")
        }
    }

    private func isSame(_ one: Key, _ other: Key) -> Bool {
        withOctets(of: one) { a in withOctets(of: other) { b in a.count == b.count && a.elementsEqual(b) } }
    }

    private func hash(of key: Key) -> Int {
        var hasher = Hasher()
        withOctets(of: key) { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        return hasher.finalize()
    }

    private func name(of key: Key) -> String {
        withOctets(of: key) { String(decoding: $0, as: UTF8.self) }
    }

    private func withOctets<R>(of key: Key, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        guard let unescaped = key.unescaped else { return body(UnsafeBufferPointer(rebasing: octets[key.range])) }
        return unescaped.withUnsafeBufferPointer(body)
    }
}
