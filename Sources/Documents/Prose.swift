/// Readable text as it grows: white space is collapsed, and breaks wait until there is text to break.
struct Prose {
    /// What separates the text so far from the text to come; the widest asked for wins.
    fileprivate enum Gap: Comparable { case none, space, line, paragraph }

    /// A table's row being written on one line.
    fileprivate struct Row {
        var hasText = false
        var hasCell = false
        var pendingCells = 0
    }

    /// A moment to return to with ``remove(since:)``.
    struct Mark {
        fileprivate let count: Int
        fileprivate let gap: Gap
        fileprivate let marker: [UInt8]
        fileprivate let row: Row?
    }

    private(set) var bytes: [UInt8] = []
    private var gap = Gap.none
    private var marker: [UInt8] = []
    private var row: Row?
    private var isGlued = false
    private var isAtVerbatimStart = false
    /// A heading: every break is a space.
    private let isOneLine: Bool

    init(isOneLine: Bool = false) {
        self.isOneLine = isOneLine
    }

    /// Appends words; runs of white space, here or across calls, become one space.
    mutating func append(_ text: ArraySlice<UInt8>) {
        var index = text.startIndex
        while index < text.endIndex {
            guard !text[index].isSpace else {
                gap = max(gap, .space)
                index += 1
                continue
            }
            let start = index
            while index < text.endIndex, !text[index].isSpace { index += 1 }
            settle()
            bytes.append(contentsOf: text[start..<index])
        }
    }

    /// Appends code as it stands, but for tabs (four spaces) and blank lines at its beginning.
    mutating func appendVerbatim(_ text: ArraySlice<UInt8>) {
        guard !isOneLine else { return append(text) }
        var rest = text
        if isAtVerbatimStart {
            guard let first = text.firstIndex(where: { !$0.isSpace }) else { return skipVerbatimStart(text) }
            let line = text[..<first].lastIndex(of: 0x0A).map { $0 + 1 } ?? text.startIndex
            rest = text[line...]
            isAtVerbatimStart = false
        }
        if rest.isEmpty { return }
        settle()
        while let tab = rest.firstIndex(of: 0x09) {
            bytes.append(contentsOf: rest[..<tab])
            bytes.append(contentsOf: [0x20, 0x20, 0x20, 0x20])
            rest = rest[(tab + 1)...]
        }
        bytes.append(contentsOf: rest)
    }

    /// White space before any code: blank lines go, but the first line's indentation waits for its code.
    private mutating func skipVerbatimStart(_ text: ArraySlice<UInt8>) {
        let line = text.lastIndex(of: 0x0A).map { $0 + 1 } ?? text.startIndex
        marker += text[line...]
    }

    /// Between this and ``endVerbatim()``, breaks count as code's own.
    mutating func beginVerbatim() {
        isAtVerbatimStart = true
    }

    mutating func endVerbatim() {
        isAtVerbatimStart = false
        while let last = bytes.last, last.isSpace { bytes.removeLast() }
    }

    mutating func breakLine() {
        gap = max(gap, isOneLine || row != nil ? .space : .line)
    }

    mutating func breakParagraph() {
        gap = max(gap, isOneLine || row != nil ? .space : .paragraph)
    }

    /// Whatever breaks follow, the next text is on the next line: a term and its definition stay one paragraph.
    mutating func glue() {
        guard !isOneLine else { return }
        breakLine()
        isGlued = !bytes.isEmpty
    }

    /// The next text is a list item's.
    mutating func item(_ newMarker: [UInt8]) {
        guard !isOneLine, row == nil else { return breakLine() }
        breakLine()
        marker = newMarker
    }

    /// An item's end, after which a marker that found no text is void.
    mutating func endItem() {
        marker = []
        breakLine()
    }

    mutating func beginRow() {
        endRow()
        breakLine()
        row = isOneLine ? nil : Row()
    }

    /// The next text is in another cell than the last; false if the row has turned into free text.
    mutating func cell() {
        guard row != nil else { return breakParagraph() }
        if row?.hasCell == true { row?.pendingCells += 1 }
        row?.hasCell = true
    }

    mutating func endRow() {
        row = nil
        breakLine()
    }

    /// Lets the row hold paragraphs: it is layout, or documents one thing at length.
    mutating func flow() {
        row = nil
        breakParagraph()
    }

    var mark: Mark { Mark(count: bytes.count, gap: gap, marker: marker, row: row) }

    /// The text since a mark, without the white space around it.
    func text(since mark: Mark) -> ArraySlice<UInt8> {
        bytes.dropFirst(mark.count).drop { $0.isSpace }
    }

    mutating func remove(since mark: Mark) {
        bytes.removeSubrange(min(mark.count, bytes.count)...)
        (gap, marker, row) = (mark.gap, mark.marker, mark.row)
    }

    /// Writes what has been waiting, now that text follows.
    private mutating func settle() {
        let isInsideRow = row?.hasText == true
        if gap != .none, !bytes.isEmpty, !(isInsideRow && row?.pendingCells != 0) {
            switch isGlued ? min(gap, .line) : gap {
            case .none: break
            case .space: bytes.append(0x20)
            case .line: if bytes.last != 0x0A { bytes.append(0x0A) }
            case .paragraph: bytes.append(contentsOf: [0x0A, 0x0A])
            }
        }
        if row != nil { settleCells() }
        if !marker.isEmpty {
            bytes.append(contentsOf: marker)
            marker.removeAll(keepingCapacity: true)
        }
        gap = .none
        isGlued = false
    }

    private mutating func settleCells() {
        guard let pending = row?.pendingCells else { return }
        if pending > 0, row?.hasText == true { bytes.append(0x20) }
        for _ in 0..<pending { bytes.append(contentsOf: [UInt8(ascii: "|"), 0x20]) }
        row?.pendingCells = 0
        row?.hasText = true
    }
}
