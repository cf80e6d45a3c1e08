internal import CLinux
internal import Glibc
internal import ServiceLifecycle

/// Gives memory back that only busy moments need, so that three idle services stay small.
///
/// Swift's runtime reads most of a program's text once, when it looks through all conformances for the first dynamic
/// cast. Those pages are clean copies of files; given back, one that is needed again costs a minor fault (some 250 for
/// all of a service's text, below a millisecond together). What the allocator holds free is given back too.
struct IdleMemory: Service {
    /// Often enough that a service is small soon after a burst, seldom enough to cost nothing.
    private static let interval = Duration.seconds(10)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: Self.interval)) != nil { Self.giveBack() }
        }
    }

    static func giveBack() {
        octavo_trim_heap()
        for mapping in textMappings() {
            madvise(UnsafeMutableRawPointer(bitPattern: mapping.lowerBound), mapping.count, MADV_DONTNEED)
        }
    }

    /// The executable, unwritable mappings of files, from /proc/self/maps (proc(5)). Nothing of ours is lost by dropping
    /// them: nobody can have written into them.
    private static func textMappings() -> [Range<UInt>] {
        guard let file = fopen("/proc/self/maps", "re") else { return [] }
        defer { fclose(file) }
        var mappings: [Range<UInt>] = []
        var line = [CChar](repeating: 0, count: 4_096)
        while fgets(&line, CInt(line.count), file) != nil {
            let fields = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
                .split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count >= 6, fields[1] == "r-xp", fields[5].hasPrefix("/") else { continue }
            let bounds = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            if bounds.count == 2, bounds[0] < bounds[1] { mappings.append(bounds[0]..<bounds[1]) }
        }
        return mappings
    }
}
