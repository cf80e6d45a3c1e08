internal import Synchronization

/// Values that no other test has, in this process or any other, in this run or any other.
public enum Unique {
    private static let run = String(UInt64.random(in: 0 ... .max), radix: 36)
    private static let count = Atomic(0)

    /// `Reader 1xqf0z1ye3o4k-7`
    public static func text(_ prefix: String) -> String { "\(prefix) \(run)-\(next())" }

    /// An id that nothing stored has.
    public static func id() -> Int { -next() }

    private static func next() -> Int { count.add(1, ordering: .relaxed).newValue }
}
