import Agents
import FoundationEssentials

/// The address of a page that may be fetched: HTTPS at its usual port, from an allowed host by its name.
struct PageAddress: Sendable, Hashable {
    /// More is no address that a person would give.
    private static let mostBytes = 2_000

    let url: String
    let host: String

    /// - Parameter hosts: Names, or `*.` and one for all below it.
    init(_ text: String, hosts: [String]) throws(ToolError) {
        guard text.utf8.count <= Self.mostBytes else { throw ToolError("The address is too long.") }
        // What parsers of addresses disagree about never gets as far as one.
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }),
            let url = URL(string: text), let scheme = url.scheme?.lowercased(), let host = url.host()?.lowercased()
        else { throw ToolError("This is no address of a page; one looks like https://example.com/page.") }
        guard scheme == "https" else { throw ToolError("Only https:// addresses can be fetched.") }
        guard url.user() == nil, url.password() == nil else {
            throw ToolError("An address with a user in it cannot be fetched.")
        }
        guard url.port == nil || url.port == 443 else { throw ToolError("Only the usual port can be fetched from.") }
        guard hosts.contains(where: { Self.allows($0, host) }), Self.isName(host) else {
            throw ToolError("Pages of \(host) may not be fetched. Allowed: \(hosts.joined(separator: ", ")).")
        }
        // Without its fragment, which is not sent; written anew, so that what was checked is what is asked for.
        let path = url.path(percentEncoded: true)
        let query = url.query(percentEncoded: true).map { "?" + $0 } ?? ""
        self.url = "https://\(host)\(path.isEmpty ? "/" : path)\(query)"
        self.host = host
    }

    private static func allows(_ pattern: String, _ host: String) -> Bool {
        guard pattern.hasPrefix("*.") else { return host == pattern }
        return host.hasSuffix(pattern.dropFirst()) && host.utf8.count > pattern.utf8.count - 1
    }

    /// A number is an address however it is written: 2130706433 and 0x7f.1 are this machine.
    private static func isName(_ host: String) -> Bool {
        guard let last = host.split(separator: ".").last, let first = last.utf8.first else { return false }
        return !(0x30...0x39).contains(first) && !host.contains(":")
    }
}
