import FoundationEssentials

/// Tells two questions apart: FNV-1a over the JSON with sorted keys, twice with different beginnings. Nobody gains by a
/// question that looks like another of their own run, so it need not withstand anybody.
enum Digest {
    static func of(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        var (one, two): (UInt64, UInt64) = (0xcbf2_9ce4_8422_2325, 0x6c62_272e_07bb_0142)
        for byte in try encoder.encode(value) {
            one = (one ^ UInt64(byte)) &* 0x100_0000_01b3
            two = (two ^ UInt64(byte)) &* 0x100_0000_01b3 &+ (one >> 32)
        }
        return String(one, radix: 16) + String(two, radix: 16)
    }
}
