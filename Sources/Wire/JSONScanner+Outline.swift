internal import NIOCore

/// Finding the parts of text that was checked before, which a value is. Nothing is checked again; text that is no JSON
/// after all gives some parts or none, and never leads beyond its end.
extension JSONScanner {
    /// The members of an object, in their order; nil when it is none.
    static func outline(of text: ByteBuffer) -> [Member]? {
        text.withUnsafeReadableBytes { raw in
            var scanner = JSONScanner(raw.bindMemory(to: UInt8.self))
            guard scanner.peek() == UInt8(ascii: "{") else { return nil }
            var members: [Member] = []
            // As many as most have: a list that grows is allocated again and again.
            members.reserveCapacity(8)
            scanner.passMembers { scanner, key, isEscaped, value in
                members.append(Member(key: scanner.name(key, isEscaped), value: value))
                return true
            }
            return members
        }
    }

    /// Where the value of one member of an object lies.
    static func value(of key: String, in text: ByteBuffer) -> Range<Int>? {
        text.withUnsafeReadableBytes { raw in
            var scanner = JSONScanner(raw.bindMemory(to: UInt8.self))
            guard scanner.peek() == UInt8(ascii: "{") else { return nil }
            var found: Range<Int>?
            scanner.passMembers { scanner, name, isEscaped, value in
                let isIt =
                    isEscaped
                    ? scanner.name(name, true) == key
                    : name.count == key.utf8.count && scanner.octets[name].elementsEqual(key.utf8)
                if isIt { found = value }
                return !isIt
            }
            return found
        }
    }

    /// Where the elements of an array lie; nil when it is none.
    static func elements(of text: ByteBuffer) -> [Range<Int>]? {
        text.withUnsafeReadableBytes { raw in
            var scanner = JSONScanner(raw.bindMemory(to: UInt8.self))
            scanner.skipSpaces()
            guard scanner.peek() == UInt8(ascii: "[") else { return nil }
            scanner.enter()
            var elements: [Range<Int>] = []
            while scanner.peek() != UInt8(ascii: "]"), scanner.position < scanner.octets.count {
                let start = scanner.position
                scanner.passValue()
                elements.append(start..<scanner.position)
                scanner.passComma()
            }
            return elements
        }
    }

    private mutating func passMembers(
        _ body: (_ scanner: JSONScanner, _ key: Range<Int>, _ isEscaped: Bool, _ value: Range<Int>) -> Bool
    ) {
        enter()
        while peek() == UInt8(ascii: "\"") {
            let start = position + 1
            let isEscaped = passString()
            let key = start..<max(start, position - 1)
            skipSpaces()
            enter()
            let value = position
            passValue()
            guard body(self, key, isEscaped, value..<position) else { return }
            passComma()
        }
    }

    private func name(_ key: Range<Int>, _ isEscaped: Bool) -> String {
        let text = UnsafeBufferPointer(rebasing: octets[key])
        return isEscaped ? String(decoding: Self.unescape(text), as: UTF8.self) : String(decoding: text, as: UTF8.self)
    }

    /// Passes an opening bracket or a colon.
    private mutating func enter() {
        pass(1)
        skipSpaces()
    }

    private mutating func passComma() {
        skipSpaces()
        if peek() == UInt8(ascii: ",") { enter() }
    }

    private mutating func pass(_ count: Int) { position = min(position + count, octets.count) }

    private mutating func passValue() {
        var level = 0
        repeat {
            switch peek() {
            case UInt8(ascii: "\""): _ = passString()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                level += 1
                pass(1)
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                level -= 1
                pass(1)
            case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: " "): pass(1)
            default: passWord()
            }
        } while level > 0 && position < octets.count
    }

    /// A number, `true`, `false` or `null`.
    private mutating func passWord() {
        pass(1)
        while position < octets.count {
            switch peek() {
            case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: " "): return
            default: position += 1
            }
        }
    }

    /// Passes a string with both its quotes; true when it holds escapes.
    private mutating func passString() -> Bool {
        pass(1)
        var isEscaped = false
        while position < octets.count {
            skipPlain()
            switch peek() {
            case UInt8(ascii: "\""):
                pass(1)
                return isEscaped
            case UInt8(ascii: "\\"):
                isEscaped = true
                pass(2)
            default: pass(1)
            }
        }
        return isEscaped
    }
}
