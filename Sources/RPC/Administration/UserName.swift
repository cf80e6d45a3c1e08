internal import FoundationEssentials

/// The name of a user of this machine, from /etc/passwd and nowhere else: the C library would ask directories as well,
/// over a network that may hang, and this is asked on the event loop.
enum UserName {
    /// Nil for a user the file does not name.
    static func of(_ uid: UInt32) -> String? {
        guard let file = FileManager.default.contents(atPath: "/etc/passwd") else { return nil }
        for line in file.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ":"), maxSplits: 3, omittingEmptySubsequences: false)
            guard fields.count == 4, String(decoding: fields[2], as: UTF8.self) == "\(uid)" else { continue }
            return String(decoding: fields[0], as: UTF8.self)
        }
        return nil
    }
}

extension PeerCredentials {
    /// `uid 1000 (ada), pid 4242`, for the log of what administrators do.
    var name: String {
        let user = UserName.of(uid).map { " (\($0))" } ?? ""
        return "uid \(uid)\(user), pid \(pid)"
    }
}
