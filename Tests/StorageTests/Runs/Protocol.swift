import FoundationEssentials

/// The pages of the protocol.
enum Protocol {
    static func page(_ name: String) -> String {
        let root = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        return FileManager.default.contents(atPath: "\(root)/protocol/\(name)").map {
            String(decoding: $0, as: UTF8.self)
        }
            ?? ""
    }
}
