/// An address of the Internet Protocol, as its octets, and which networks it may belong to.
struct NetworkAddress: Sendable, Hashable {
    /// 4 or 16.
    let octets: [UInt8]

    init(octets: [UInt8]) {
        self.octets = octets
    }

    /// The usual text form of either version; nil for anything else, also for the old forms that leave parts out.
    init?(_ text: Substring) {
        if let four = Self.version4(text) {
            octets = four
        } else if let sixteen = Self.version6(text) {
            octets = sixteen
        } else {
            return nil
        }
    }

    private static func version4(_ text: Substring) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let octets = parts.compactMap { part -> UInt8? in
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                part.count == 1 || part.first != "0"
            else { return nil }
            return UInt8(part)
        }
        return parts.count == 4 && octets.count == 4 ? octets : nil
    }

    private static func version6(_ text: Substring) -> [UInt8]? {
        let halves = text.split(separator: ":", omittingEmptySubsequences: false)
        guard halves.count >= 3 else { return nil }
        let parts = text.firstRange(of: "::").map { [text[..<$0.lowerBound], text[$0.upperBound...]] } ?? [text]
        var groups: [[UInt8]] = []
        for part in parts {
            var octets: [UInt8] = []
            for group in part.isEmpty ? [] : part.split(separator: ":", omittingEmptySubsequences: false) {
                if let four = version4(group), group.endIndex == text.endIndex {
                    octets += four
                } else if (1...4).contains(group.utf8.count), let value = UInt16(group, radix: 16), group.first != "+" {
                    octets += [UInt8(value >> 8), UInt8(value & 0xFF)]
                } else {
                    return nil
                }
            }
            groups.append(octets)
        }
        let given = groups.reduce(0) { $0 + $1.count }
        guard groups.count == 2 ? given <= 14 : given == 16 else { return nil }
        return groups[0] + [UInt8](repeating: 0, count: 16 - given) + (groups.count == 2 ? groups[1] : [])
    }

    /// Whether it is nobody's but of one network, or of no machine: what a stranger's URL must not lead to.
    var isInternal: Bool {
        if let inner = embedded { return inner.isInternal }
        return Self.reserved.contains { $0.contains(self) }
    }

    /// An address of version 4 within one of version 6: mapped, translated (NAT64) or tunnelled (6to4).
    private var embedded: NetworkAddress? {
        guard octets.count == 16 else { return nil }
        let mapped: [UInt8] = Array(repeating: 0, count: 10) + [0xFF, 0xFF]
        let translated: [UInt8] = [0x00, 0x64, 0xFF, 0x9B] + Array(repeating: 0, count: 8)
        if octets.starts(with: mapped) || octets.starts(with: translated) {
            return NetworkAddress(octets: Array(octets[12...]))
        }
        return octets.starts(with: [0x20, 0x02]) ? NetworkAddress(octets: Array(octets[2..<6])) : nil
    }

    /// The registries of special purpose addresses (RFC 6890), and multicast.
    private static let reserved: [Network] = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/3", "::/8", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "fc00::/7", "fe80::/10",
        "fec0::/10", "ff00::/8",
    ].compactMap { Network($0) }
}

/// The addresses that begin with the same bits: `10.0.0.0/8`.
struct Network: Sendable, Hashable {
    let address: NetworkAddress
    let bits: Int

    /// An address alone is a network of one.
    init?(_ text: some StringProtocol) {
        let parts = Substring(text).split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = NetworkAddress(parts[0]) else { return nil }
        guard let bits = parts.count == 1 ? address.octets.count * 8 : Int(parts[1]),
            (0...address.octets.count * 8).contains(bits)
        else { return nil }
        self.address = address
        self.bits = bits
    }

    func contains(_ other: NetworkAddress) -> Bool {
        guard other.octets.count == address.octets.count else { return false }
        return (0..<bits).allSatisfy { bit in
            let mask = UInt8(0x80) >> UInt8(bit % 8)
            return other.octets[bit / 8] & mask == address.octets[bit / 8] & mask
        }
    }
}
