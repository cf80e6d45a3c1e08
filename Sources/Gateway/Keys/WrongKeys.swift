import NIOCore

/// Counts wrong keys by where they come from. 256 random bits are not guessed; what is bounded is the work that trying
/// makes for storage, and the lines it makes in the log.
struct WrongKeys {
    typealias Instant = ContinuousClock.Instant

    /// Wrong keys from one place within a window: a program with an old key that tries again is told each time, for a while.
    static let most = 10
    /// From this machine, where a proxy speaks for everybody: a few people's mistakes must not shut the others out, and so
    /// many are still next to no work.
    static let mostOfThisMachine = 1_000
    static let window = Duration.seconds(60)
    /// Places remembered. More at once have the oldest forgotten, which gives it ten more tries.
    static let places = 1_024

    /// Where keys come from.
    struct Place: Hashable, CustomStringConvertible {
        /// An address of IPv4, a network of IPv6, where one host has as many addresses as it likes; empty for a Unix socket.
        var octets: [UInt8]
        /// Whether it is this machine.
        var isThisMachine = false

        /// `10.0.0.1`, `2001:db8:0:0::/64`, or `this machine`.
        var description: String {
            if isThisMachine { return "this machine" }
            guard octets.count == 8 else { return octets.map(String.init).joined(separator: ".") }
            let groups = stride(from: 0, to: 8, by: 2).map {
                String(Int(octets[$0]) << 8 | Int(octets[$0 + 1]), radix: 16)
            }
            return groups.joined(separator: ":") + "::/64"
        }
    }

    private struct Count {
        var count: Int
        var since: Instant
    }

    private var seen: [Place: Count] = [:]

    var count: Int { seen.count }

    /// How long a key from there is not looked at; nil when it is.
    func wait(for place: Place, now: Instant) -> Duration? {
        let most = place.isThisMachine ? Self.mostOfThisMachine : Self.most
        guard let seen = seen[place], seen.count >= most else { return nil }
        let left = now.duration(to: seen.since + Self.window)
        return left > .zero ? left : nil
    }

    /// A wrong key came from there; returns how many did within the window.
    @discardableResult
    mutating func add(_ place: Place, now: Instant) -> Int {
        if let known = seen[place], known.since.duration(to: now) < Self.window {
            seen[place]?.count += 1
            return known.count + 1
        }
        if seen[place] == nil, seen.count >= Self.places {
            seen = seen.filter { $0.value.since.duration(to: now) < Self.window }
            if seen.count >= Self.places, let oldest = seen.min(by: { $0.value.since < $1.value.since })?.key {
                seen[oldest] = nil
            }
        }
        seen[place] = Count(count: 1, since: now)
        return 1
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

    /// Whom wrong keys are counted for.
    var place: WrongKeys.Place {
        let octets = octets
        return WrongKeys.Place(
            octets: octets.count == 16 ? Array(octets.prefix(8)) : octets,
            isThisMachine: octets.isEmpty || isLoopback
        )
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
