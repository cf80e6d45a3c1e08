import NIOCore

/// Counts wrong keys by where they come from. 256 random bits are not guessed; what is bounded is the work that trying
/// makes for storage, and the lines it makes in the log.
struct WrongKeys {
    typealias Instant = ContinuousClock.Instant

    /// Wrong keys from one place within a window: a program with an old key that tries again is told each time, for a while.
    static let most = 10
    static let window = Duration.seconds(60)
    /// Places remembered. More at once have the oldest forgotten, which gives it ten more tries.
    static let places = 1_024

    private struct Place {
        var count: Int
        var since: Instant
    }

    private var seen: [[UInt8]: Place] = [:]

    var count: Int { seen.count }

    /// How long a key from there is not looked at; nil when it is.
    func wait(for place: [UInt8], now: Instant) -> Duration? {
        guard let seen = seen[place], seen.count >= Self.most else { return nil }
        let left = now.duration(to: seen.since + Self.window)
        return left > .zero ? left : nil
    }

    /// A wrong key came from there.
    mutating func add(_ place: [UInt8], now: Instant) {
        if let known = seen[place], known.since.duration(to: now) < Self.window {
            seen[place]?.count += 1
            return
        }
        if seen[place] == nil, seen.count >= Self.places {
            seen = seen.filter { $0.value.since.duration(to: now) < Self.window }
            if seen.count >= Self.places, let oldest = seen.min(by: { $0.value.since < $1.value.since })?.key {
                seen[oldest] = nil
            }
        }
        seen[place] = Place(count: 1, since: now)
    }
}

extension SocketAddress {
    /// Whether it is an address of this machine that no other can send to. The kernel takes nothing for 127.0.0.0/8 or ::1
    /// from a network, so a connection's own end tells where it came from.
    var isLoopback: Bool {
        let octets = octets
        return switch octets.count {
        case 4: octets[0] == 127
        case 16: octets.dropLast().allSatisfy { $0 == 0 } && octets[15] == 1
        default: false
        }
    }

    /// Whom wrong keys are counted for: an address of IPv4, a network of IPv6, where one host has as many addresses as it
    /// likes.
    var place: [UInt8] {
        let octets = octets
        return octets.count == 16 ? Array(octets.prefix(8)) : octets
    }

    /// The address as the network has it, 4 octets or 16; none of a Unix socket. An address of IPv4 that a socket of IPv6
    /// shows (RFC 4291, 2.5.5.2) is one of IPv4.
    private var octets: [UInt8] {
        switch self {
        // Where ip(7) and ipv6(7) have the address: behind the family and the port, and there the flow as well.
        case .v4: return withSockAddr { address, _ in Array(UnsafeRawBufferPointer(start: address, count: 8)[4...]) }
        case .v6:
            let octets = withSockAddr { address, _ in Array(UnsafeRawBufferPointer(start: address, count: 24)[8...]) }
            let isMapped = octets.prefix(10).allSatisfy { $0 == 0 } && octets[10] == 0xFF && octets[11] == 0xFF
            return isMapped ? Array(octets.suffix(4)) : octets
        case .unixDomainSocket: return []
        }
    }
}
