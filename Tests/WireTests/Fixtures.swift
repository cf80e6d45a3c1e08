import FoundationEssentials
import NIOCore
import Wire

/// The files of `protocol/fixtures`.
struct Fixture: Sendable, CustomStringConvertible {
    /// The file's name without its ending.
    var name: String
    var frame: ByteBuffer

    var description: String { name }
    /// What stands before the first dot: the reason of an invalid one, the valid one that an equal one equals.
    var subject: String { String(name.prefix { $0 != "." }) }

    static let valid = all(in: "valid")
    static let equal = all(in: "equal")
    static let invalid = all(in: "invalid")

    private static func all(in folder: String) -> [Fixture] {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let path = "/\(root)/protocol/fixtures/\(folder)"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.sorted().compactMap { name in
            guard name.hasSuffix(".frame"), let data = FileManager.default.contents(atPath: "\(path)/\(name)") else {
                return nil
            }
            return Fixture(name: String(name.dropLast(6)), frame: ByteBuffer(bytes: data))
        }
    }
}

/// All messages of a stream of octets, read to its end.
func messages(in octets: ByteBuffer, limit: Int = 1_048_576) throws(ProtocolViolation) -> [Message] {
    var decoder = FrameDecoder(limit: limit)
    var octets = octets
    var messages: [Message] = []
    while let payload = try decoder.decodeLast(buffer: &octets, seenEOF: true) {
        messages.append(try Message(decoding: payload))
    }
    return messages
}

/// The message's frame.
func frame(_ message: Message) -> ByteBuffer {
    var encoder = FrameEncoder(limit: 9_999_999)
    var buffer = ByteBuffer()
    try? encoder.encode(message, into: &buffer)
    return buffer
}

func violation(of body: () throws(ProtocolViolation) -> Void) -> ProtocolViolation.Reason? {
    do throws(ProtocolViolation) {
        try body()
        return nil
    } catch {
        return error.reason
    }
}

/// SplitMix64: the same sequence for the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
