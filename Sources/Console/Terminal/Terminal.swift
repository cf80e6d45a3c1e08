import Glibc

/// Writing for people: colour and moving lines on a terminal only, plain text into files and pipes.
struct Terminal: Sendable {
    /// Ways to set off a piece of text.
    enum Style: String {
        case bold = "1"
        case dim = "2"
        case red = "31"
        case yellow = "33"
        case green = "32"
        case cyan = "36"
    }

    static let output = Terminal(descriptor: STDOUT_FILENO)
    static let error = Terminal(descriptor: STDERR_FILENO)

    private let descriptor: CInt
    /// Somebody looks at this directly.
    let isInteractive: Bool
    private let hasColour: Bool

    init(descriptor: CInt) {
        self.descriptor = descriptor
        isInteractive = isatty(descriptor) == 1
        // no-color.org
        hasColour = isInteractive && environment("NO_COLOR") == nil && environment("TERM") != "dumb"
    }

    /// Columns, where somebody looks at it.
    var width: Int? {
        guard isInteractive else { return nil }
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    func styled(_ text: String, _ style: Style) -> String {
        hasColour ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    func line(_ text: String = "") {
        write(text + "\n")
    }

    /// Replaces the current line; into a file it writes nothing.
    func progress(_ text: String) {
        if isInteractive { write("\r\u{1B}[K" + text) }
    }

    /// Ends a line of progress.
    func clearProgress() {
        if isInteractive { write("\r\u{1B}[K") }
    }

    /// A line in place of one of progress.
    func notice(_ text: String) {
        clearProgress()
        line(text)
    }

    /// Writes without a buffer, so that an answer appears as it comes; a closed pipe ends the output quietly.
    func write(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written > 0 {
                bytes = bytes.dropFirst(written)
            } else if errno == EAGAIN {
                // Whoever shares the terminal has made it non-blocking, and it is slower than we are.
                var writable = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&writable, 1, -1)
            } else if errno != EINTR {
                return
            }
        }
    }
}
