/// The formats that name something on a network.
extension SchemaFormat {
    /// RFC 5321, without comments and folding.
    static func isEmail(_ text: String) -> Bool {
        guard let at = text.lastIndex(of: "@") else { return false }
        let (local, domain) = (text[..<at], text[text.index(after: at)...])
        guard (1...64).contains(local.utf8.count), isLocalPart(local) else { return false }
        guard domain.hasPrefix("["), domain.hasSuffix("]") else { return isHostname(String(domain)) }
        let address = domain.dropFirst().dropLast()
        return address.hasPrefix("IPv6:") ? isIPv6(String(address.dropFirst(5))) : isIPv4(address)
    }

    private static func isLocalPart(_ local: Substring) -> Bool {
        let bytes = Array(local.utf8)
        if bytes.first == UInt8(ascii: "\"") {
            guard bytes.count >= 2, bytes.last == UInt8(ascii: "\"") else { return false }
            var isEscaped = false
            for byte in bytes.dropFirst().dropLast() {
                guard (0x20...0x7E).contains(byte), isEscaped || byte != UInt8(ascii: "\"") else { return false }
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
            }
            return !isEscaped
        }
        let signs = Array("!#$%&'*+-/=?^_`{|}~".utf8)
        return bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { atom in
            !atom.isEmpty && atom.allSatisfy { $0.isLetter || $0.isDigit || signs.contains($0) }
        }
    }

    /// RFC 1123: labels of letters, digits and inner hyphens. Names in other scripts come as `xn--`, whose Punycode is
    /// taken as it is.
    static func isHostname(_ text: String) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        return text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            let bytes = Array(label)
            guard (1...63).contains(bytes.count), bytes.first != UInt8(ascii: "-"), bytes.last != UInt8(ascii: "-"),
                bytes.allSatisfy({ $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-") })
            else { return false }
            guard bytes.count > 3, bytes[2] == UInt8(ascii: "-"), bytes[3] == UInt8(ascii: "-") else { return true }
            return bytes.count > 4 && bytes.prefix(2).elementsEqual("xn".utf8)
        }
    }

    static func isIPv4(_ text: Substring) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                // A leading nought would be octal to some readers.
                (1...3).contains(part.count) && part.allSatisfy(\.isDigit)
                    && (part.count == 1 || part.first != UInt8(ascii: "0")) && Int(String(part) ?? "") ?? 256 < 256
            }
    }

    static func isIPv6(_ text: String) -> Bool {
        var groups = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (3...9).contains(groups.count) else { return false }
        var needed = 8
        if let last = groups.last, last.contains(".") {
            guard isIPv4(last) else { return false }
            groups.removeLast()
            needed = 6
        } else if groups.last == "" {
            // `::` at the end leaves two empty groups.
            guard groups.count >= 2, groups[groups.count - 2] == "" else { return false }
            groups.removeLast()
        }
        if groups.first == "" {
            guard groups.count >= 2, groups[1] == "" else { return false }
            groups.removeFirst()
        }
        let gaps = groups.count { $0.isEmpty }
        let areGroups = groups.allSatisfy { $0.isEmpty || ($0.utf8.count <= 4 && $0.utf8.allSatisfy(\.isHexDigit)) }
        return areGroups && (gaps == 0 ? groups.count == needed : gaps == 1 && groups.count <= needed)
    }

    /// RFC 3986, with a scheme: which characters may stand in it, and whether its authority is one.
    static func isURI(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), let first = bytes.first, first.isLetter,
            bytes[..<colon].allSatisfy({ $0.isLetter || $0.isDigit || "+-.".utf8.contains($0) })
        else { return false }
        let rest = bytes[(colon + 1)...]
        guard rest.count(where: { $0 == UInt8(ascii: "#") }) <= 1, isEscapedWell(rest) else { return false }
        guard rest.starts(with: "//".utf8) else { return !rest.contains { "[]".utf8.contains($0) } }
        let authority = rest.dropFirst(2).prefix { !"/?#".utf8.contains($0) }
        guard !rest.dropFirst(2 + authority.count).contains(where: { "[]".utf8.contains($0) }) else { return false }
        return isAuthority(String(decoding: authority, as: UTF8.self))
    }

    private static func isEscapedWell(_ bytes: ArraySlice<UInt8>) -> Bool {
        let signs = Array("-._~:/?#[]@!$&'()*+,;=".utf8)
        var rest = bytes
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard rest.count >= 2, rest.prefix(2).allSatisfy(\.isHexDigit) else { return false }
                rest = rest.dropFirst(2)
            } else if !byte.isLetter, !byte.isDigit, !signs.contains(byte) {
                return false
            }
        }
        return true
    }

    private static func isAuthority(_ authority: String) -> Bool {
        var host = authority[...]
        if let at = host.lastIndex(of: "@") {
            guard !host[..<at].contains(where: { "[]@".contains($0) }) else { return false }
            host = host[host.index(after: at)...]
        }
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]"), isIPv6(String(host[..<end].dropFirst())) else { return false }
            host = host[host.index(after: end)...]
        } else if let colon = host.firstIndex(of: ":") {
            host = host[colon...]
        } else {
            return !host.contains { "[]".contains($0) }
        }
        return host.isEmpty || (host.hasPrefix(":") && host.dropFirst().utf8.allSatisfy(\.isDigit))
    }
}
