import Glibc
import Synchronization

/// The `Date` header (RFC 9110, 6.6.1), made once a second.
final class HTTPDate: Sendable {
    private let last = Mutex<(second: time_t, text: String)>((0, ""))

    var now: String {
        let second = time(nil)
        return last.withLock { last in
            if last.second != second { last = (second, Self.text(second)) }
            return last.text
        }
    }

    /// IMF-fixdate; strftime's names are English since no locale was set.
    private static func text(_ second: time_t) -> String {
        var second = second
        var parts = tm()
        gmtime_r(&second, &parts)
        return String(unsafeUninitializedCapacity: 32) { buffer in
            buffer.withMemoryRebound(to: CChar.self) {
                strftime($0.baseAddress, 32, "%a, %d %b %Y %H:%M:%S GMT", &parts)
            }
        }
    }
}
