import FoundationEssentials
import NIOCore
import NIOPosix

/// Where webhooks may lead. A URL is an administrator's word, but the name in it is somebody else's: it is resolved once, the
/// address is looked at, and the connection is made to that address, so that a name which leads elsewhere a moment later leads
/// nobody anywhere.
struct Destinations: Sendable {
    /// Why nothing is sent there: a sentence.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    /// A checked place: what stands in the URL, and the address it means.
    struct Place: Sendable, Equatable {
        var host: String
        var address: String
    }

    /// Networks inside the house that an administrator has named: there HTTP and any port are allowed too.
    let allowed: [Network]

    /// - Parameter networks: such as `10.1.0.0/16 192.168.7.20`; what is no network is refused.
    init(networks: String) throws(Refusal) {
        var allowed: [Network] = []
        for word in networks.split(whereSeparator: { $0 == " " || $0 == "," }) {
            guard let network = Network(word) else {
                throw Refusal(description: "\"\(word)\" is no network: write one such as 10.1.0.0/16")
            }
            allowed.append(network)
        }
        self.allowed = allowed
    }

    /// The place a URL means.
    func place(of url: URL) async throws -> Place {
        guard let host = url.host(), url.user() == nil, Self.isPlain(host) else {
            throw Refusal(description: "The URL's host is to be written in small letters, digits, dots and hyphens.")
        }
        let isEncrypted = url.scheme == "https"
        let (address, text) = try await Self.resolve(host, port: url.port ?? (isEncrypted ? 443 : 80))
        if !allowed.contains(where: { $0.contains(address) }) {
            guard !address.isInternal else {
                throw Refusal(
                    description:
                        "Its address is inside the house: name its network in OCTAVO_WEBHOOK_NETWORKS to allow it."
                )
            }
            guard isEncrypted, url.port ?? 443 == 443 else {
                throw Refusal(description: "Beyond the house only https:// on port 443 is allowed.")
            }
        }
        return Place(host: host, address: text)
    }

    /// Anything else may mean one name to us and another to whoever connects.
    private static func isPlain(_ host: String) -> Bool {
        !host.isEmpty
            && host.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || ".-:[]".utf8.contains(byte)
            }
    }

    /// The system's resolver blocks: it has threads of its own. Its first address is the best for this machine.
    private static func resolve(_ host: String, port: Int) async throws -> (address: NetworkAddress, text: String) {
        let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        let found: SocketAddress
        do {
            found = try await NIOThreadPool.singleton.runIfActive {
                try SocketAddress.makeAddressResolvingHost(bare, port: port)
            }
        } catch {
            throw Refusal(description: "The host's name leads nowhere.")
        }
        // An address of a link has the name of the link behind it.
        guard let text = found.ipAddress, let address = NetworkAddress(text.prefix { $0 != "%" }) else {
            throw Refusal(description: "The host has an address of no known kind.")
        }
        return (address, text)
    }
}
