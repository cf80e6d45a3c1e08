import CLinux

/// What a descriptor is waited for, and what has come.
struct Interest: OptionSet, Sendable, Hashable {
    let rawValue: UInt32

    static let read = Interest(rawValue: UInt32(OCTAVO_READ))
    static let write = Interest(rawValue: UInt32(OCTAVO_WRITE))
}
