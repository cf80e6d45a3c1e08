import Agents
import Glibc
import NIOPosix

/// An address of the internet that belongs to somebody there: not this machine, not this network, not one of the ways to
/// write such an address in another.
struct PublicAddress: Sendable, Hashable, CustomStringConvertible {
    /// As it is written: `93.184.216.34`, `2606:2800:220:1::`.
    let description: String

    /// Four bytes or sixteen; nil when they name something else than a host of the internet.
    init?(_ bytes: [UInt8]) {
        switch bytes.count {
        case 4 where Self.isPublic(v4: bytes): description = bytes.map(String.init).joined(separator: ".")
        case 16 where Self.isPublic(v6: bytes): description = Self.text(v6: bytes)
        default: return nil
        }
    }

    /// What IANA's registry of special addresses calls globally reachable, and no multicast.
    private static func isPublic(v4 bytes: [UInt8]) -> Bool {
        switch (bytes[0], bytes[1], bytes[2]) {
        case (0, _, _), (10, _, _), (127, _, _): false
        case (100, 64...127, _): false  // shared between customers of a provider
        case (169, 254, _): false  // link-local; where clouds answer with keys
        case (172, 16...31, _), (192, 168, _): false
        case (192, 0, 0), (192, 0, 2), (198, 51, 100), (203, 0, 113): false  // protocols and documentation
        case (192, 88, 99): false  // relays to IPv6
        case (198, 18...19, _): false  // benchmarks
        case (224..., _, _): false  // multicast, reserved, broadcast
        default: true
        }
    }

    /// Of 2000::/3, which is all that is given out; and nothing in it that carries an IPv4 address or is not routed.
    private static func isPublic(v6 bytes: [UInt8]) -> Bool {
        guard bytes[0] & 0xE0 == 0x20 else { return false }
        switch (bytes[0], bytes[1], bytes[2], bytes[3]) {
        case (0x20, 0x01, 0x00...0x01, _): return false  // Teredo, ORCHID, benchmarks
        case (0x20, 0x01, 0x0D, 0xB8): return false  // documentation
        case (0x20, 0x02, _, _): return false  // 6to4
        case (0x3F, 0xFF, 0x00...0x0F, _): return false  // documentation
        default: return true
        }
    }

    private static func text(v6 bytes: [UInt8]) -> String {
        stride(from: 0, to: 16, by: 2)
            .map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }.joined(separator: ":")
    }
}

/// Finds the addresses of a host's name.
protocol NameResolver: Sendable {
    /// All of them, four or sixteen bytes each. Throws `ToolError`.
    func addresses(of host: String) async throws -> [[UInt8]]
}

/// getaddrinfo(3), which takes what it takes: on a thread of a pool of its own, not of the cooperative one.
struct SystemResolver: NameResolver {
    func addresses(of host: String) async throws -> [[UInt8]] {
        let found = try await NIOThreadPool.singleton.runIfActive { Self.lookUp(host) }
        guard !found.isEmpty else { throw ToolError("The host \(host) is not known.") }
        return found
    }

    private static func lookUp(_ host: String) -> [[UInt8]] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &first) == 0 else { return [] }
        defer { freeaddrinfo(first) }
        var found: [[UInt8]] = []
        var next = first
        while let entry = next?.pointee {
            // Where it stands in the address: ip(7), ipv6(7).
            let place: Range<Int>? =
                switch entry.ai_family {
                case AF_INET: 4..<8
                case AF_INET6: 8..<24
                default: nil
                }
            if let place, let address = UnsafeRawPointer(entry.ai_addr), place.upperBound <= entry.ai_addrlen {
                found.append(Array(UnsafeRawBufferPointer(start: address + place.lowerBound, count: place.count)))
            }
            next = entry.ai_next
        }
        return found
    }
}
