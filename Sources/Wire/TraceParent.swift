internal import Synchronization

/// A `traceparent` of W3C Trace Context, version 00: which trace a call belongs to, and which span made it.
public struct TraceParent: Sendable, Equatable, CustomStringConvertible {
    private var high: UInt64
    private var low: UInt64
    private var span: UInt64
    private var flags: UInt8

    /// A new trace.
    /// - Parameter isSampled: whether its spans are kept. Not by those who keep none themselves: the first span of the trace
    ///   would be missing.
    public init(isSampled: Bool = false) {
        high = Self.newID()
        low = Self.newID()
        span = Self.newID()
        flags = isSampled ? 1 : 0
    }

    /// The value of a header or of a call's `traceparent`; nil when it is not of the form
    /// `00-<32 hex>-<16 hex>-<2 hex>` in lower case, or an id in it is all zeros.
    public init?(_ text: String) {
        let octets = Array(text.utf8)
        guard octets.count == 55, octets.starts(with: "00-".utf8), octets[35] == UInt8(ascii: "-"),
            octets[52] == UInt8(ascii: "-"), let high = Self.hex(octets[3..<19]), let low = Self.hex(octets[19..<35]),
            let span = Self.hex(octets[36..<52]), let flags = Self.hex(octets[53..<55]), high | low != 0, span != 0
        else { return nil }
        self.high = high
        self.low = low
        self.span = span
        self.flags = UInt8(flags)
    }

    /// The same trace with a span of its own: what a hop passes on that keeps its span.
    public func nextHop() -> TraceParent {
        child(Self.newID())
    }

    /// The same trace with a span that is known beforehand, which is not 0.
    public func child(_ span: UInt64) -> TraceParent {
        var next = self
        next.span = span
        return next
    }

    /// Whether the spans of the trace are kept.
    public var isSampled: Bool { flags & 1 == 1 }
    /// A part of the trace's id as a number, as random as the trace's beginner has made it: for ratios.
    public var chance: UInt64 { low }

    /// Where this process' ids begin; each is SplitMix64 of the next number, and none comes twice. Ids have to be told
    /// apart, not to be unguessable, and the system's generator is a system call for each.
    private static let state = Atomic(UInt64.random(in: 0 ... .max))

    /// A number of its own; never zero, which stands for no id.
    private static func newID() -> UInt64 {
        var mixed = state.wrappingAdd(0x9e37_79b9_7f4a_7c15, ordering: .relaxed).newValue
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        mixed ^= mixed >> 31
        return mixed == 0 ? newID() : mixed
    }

    /// The trace's id, 32 hex digits, for logs.
    public var traceID: String { text(3..<35) }
    /// The span's id, 16 hex digits.
    public var spanID: String { text(36..<52) }
    /// The value as it travels.
    public var description: String { text(0..<55) }

    /// A part of the value as it travels. Written at once: every call has one.
    private func text(_ part: Range<Int>) -> String {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 55) { octets in
            octets.initialize(repeating: UInt8(ascii: "-"))
            Self.write(0, to: octets, 0..<2)
            Self.write(high, to: octets, 3..<19)
            Self.write(low, to: octets, 19..<35)
            Self.write(span, to: octets, 36..<52)
            Self.write(UInt64(flags), to: octets, 53..<55)
            return String(decoding: octets[part], as: UTF8.self)
        }
    }

    private static func write(_ value: UInt64, to octets: UnsafeMutableBufferPointer<UInt8>, _ place: Range<Int>) {
        var value = value
        for index in place.reversed() {
            let digit = UInt8(value & 0xF)
            octets[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            value >>= 4
        }
    }

    private static func hex(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
    }
}
