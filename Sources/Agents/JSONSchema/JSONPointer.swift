/// JSON Pointers (RFC 6901), written as text.
extension String {
    /// The pointer to the member or item `name` of what this one points to.
    func child(_ name: String) -> String {
        guard name.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else {
            return self + "/" + name
        }
        var escaped = ""
        for scalar in name.unicodeScalars {
            switch scalar {
            case "~": escaped += "~0"
            case "/": escaped += "~1"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return self + "/" + escaped
    }

    /// The fragment of a URI as it was before it was escaped; `nil` when it is not a fragment.
    var percentDecoded: String? {
        var bytes: [UInt8] = []
        var rest = Array(utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension JSONValue {
    /// What `pointer` points to.
    func value(at pointer: String) -> JSONValue? {
        guard !pointer.isEmpty else { return self }
        var value = self
        for part in pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            guard let name = Self.unescaped(part) else { return nil }
            switch value {
            case .object(let members):
                guard let member = members.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) else { return nil }
                value = member.value
            case .array(let items):
                // Nought may begin no other number.
                guard let index = Int(name), items.indices.contains(index), "\(index)" == name else { return nil }
                value = items[index]
            default: return nil
            }
        }
        return value
    }

    private static func unescaped(_ part: Substring) -> String? {
        var text = ""
        var scalars = part.unicodeScalars[...]
        while let scalar = scalars.popFirst() {
            guard scalar == "~" else {
                text.unicodeScalars.append(scalar)
                continue
            }
            switch scalars.popFirst() {
            case "0": text += "~"
            case "1": text += "/"
            default: return nil
            }
        }
        return text
    }
}
