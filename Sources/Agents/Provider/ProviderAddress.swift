import FoundationEssentials

/// Where a provider is.
struct ProviderAddress {
    /// Without a slash at its end.
    let base: String
    let host: String
    private let isEncrypted: Bool

    /// Throws ``AgentError/Code/misconfigured``. The text is not repeated: people put keys into addresses.
    init(_ text: String) throws(AgentError) {
        guard let url = URL(string: text), let scheme = url.scheme?.lowercased(), let host = url.host(), !host.isEmpty
        else {
            throw AgentError(.misconfigured, "The base URL of the provider is no URL.")
        }
        guard scheme == "https" || scheme == "http" else {
            throw AgentError(.misconfigured, "The base URL of the provider must begin with https:// or http://.")
        }
        guard url.user() == nil, url.password() == nil, url.query() == nil, url.fragment() == nil else {
            throw AgentError(.misconfigured, "The base URL of the provider must have no user, query or fragment.")
        }
        var base = Substring(text)
        while base.last == "/" { base.removeLast() }
        self.base = String(base)
        self.host = host.lowercased()
        self.isEncrypted = scheme == "https"
    }

    /// Whether a key can be sent there: encrypted, or to this machine or a private network (RFC 1918, RFC 4193, link-local,
    /// names without a dot, `.local`, `.internal`, `.localhost`, `.lan`).
    var isSafeForKeys: Bool {
        isEncrypted || Self.isPrivate(host)
    }

    private static func isPrivate(_ host: String) -> Bool {
        let host = host.filter { $0 != "[" && $0 != "]" }
        if host.contains(":") {
            return host == "::1" || ["fc", "fd", "fe8", "fe9", "fea", "feb"].contains { host.hasPrefix($0) }
        }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        let bytes = labels.compactMap { UInt8($0) }
        if bytes.count == 4, labels.count == 4 {
            return switch (bytes[0], bytes[1]) {
            case (127, _), (10, _), (192, 168), (169, 254), (172, 16...31): true
            default: false
            }
        }
        return labels.count == 1 || [".local", ".internal", ".localhost", ".lan"].contains { host.hasSuffix($0) }
    }
}
