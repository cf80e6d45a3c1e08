/// Reads HTML into an outline: keeps the elements that are open, and gives each tag its effect on the text.
///
/// Nothing recurses. Elements nested deeper than the limit keep their text and lose their effect.
struct HTMLReader {
    /// An open element.
    struct Element {
        let name: HTMLName
        var traits: HTMLTraits = []
        var id = ""
        /// The last number given in an ordered list.
        var number: Int?
        /// The section of the term being defined in a definition list, and whether its definition has begun.
        var term: Outline.Term?
        var isDefining = false
    }

    /// What is being captured as one line of text.
    enum Capture {
        case title, ancestor
        case heading(level: Int, anchor: String?)
        case term(anchor: String)
    }

    /// Real pages nest some 30 deep. The limit bounds the search for the element that an end tag closes.
    private static let depthLimit = 256

    var outline = Outline()
    /// Bytes looked at by tokenizers, for the tests.
    private(set) var examined = 0

    var elements: [Element] = []
    var capture: Capture?
    /// An `<a id>` within the heading being captured.
    var innerAnchor: String?
    /// The anchor that leads to the heading being captured if it has none of its own.
    var outerAnchor: String?
    /// An anchor seen since the last text, though its element may have been closed again.
    var looseAnchor: String?
    /// The elements at this depth and above have been opened since the last text.
    private var freshDepth = 0
    /// Where in `elements` the dropped element is that the reader is in.
    private var droppedDepth: Int?
    /// Whether what is read is a page, whose main part counts alone, or pieces of HTML in another format.
    private let isWholePage: Bool
    private var hasMain = false
    private var mainDepth: Int?
    var verbatimDepth = 0
    var admonitions = 0
    var titlePages = 0
    var entries = 0
    /// The next text is a superscript.
    var isPower = false
    /// Where the text of the open link began.
    var link: Outline.Mark?

    init(isWholePage: Bool = true) {
        self.isWholePage = isWholePage
    }

    /// Reads a whole document, or a piece of one: elements stay open until ``closeAll()``.
    mutating func read(_ bytes: [UInt8]) {
        var tokenizer = HTMLTokenizer(bytes)
        while !outline.isOverfull, let token = tokenizer.next() { read(token, in: bytes) }
        examined += tokenizer.examined
    }

    mutating func read(_ token: HTMLToken, in bytes: [UInt8]) {
        switch token {
        case .text(let range): text(bytes, range)
        case .literal(let range): emit(bytes[range])
        case .open(let tag): open(tag, in: bytes)
        case .close(let name?): close(name)
        case .close(nil), .nothing: break
        }
    }

    mutating func closeAll() {
        pop(to: 0)
        endCapture()
    }
}

// MARK: Text

extension HTMLReader {
    /// Whether text is to be read: not in a dropped element, unless it is the chapter's name there.
    private var isReading: Bool {
        guard droppedDepth != nil else { return true }
        if case .ancestor = capture { return true }
        return false
    }

    /// Emits text whose entities are still to be decoded.
    mutating func text(_ bytes: [UInt8], _ range: Range<Int>) {
        guard isReading else { return }
        var start = range.lowerBound
        var search = start
        while let ampersand = bytes[search..<range.upperBound].firstIndex(of: UInt8(ascii: "&")) {
            search = ampersand + 1
            guard let entity = Entity.decode(bytes, at: ampersand, end: range.upperBound) else { continue }
            emit(bytes[start..<ampersand])
            if let scalar = entity.scalar { emit(Array(String(scalar).utf8)[...]) }
            start = entity.next
            search = start
        }
        emit(bytes[start..<range.upperBound])
    }

    /// Emits text as it is.
    mutating func emit(_ text: ArraySlice<UInt8>) {
        guard isReading, let first = text.first else { return }
        if isPower {
            isPower = false
            // Ten to the third is 10^3, not 103; ordinals and footnotes' letters stay as they are.
            if first.isDigit || first == UInt8(ascii: "-") { outline.write { $0.append([UInt8(ascii: "^")]) } }
        }
        if verbatimDepth > 0 {
            outline.write { $0.appendVerbatim(text) }
        } else {
            outline.write { $0.append(text) }
        }
        if freshDepth < elements.count || looseAnchor != nil, text.contains(where: { !$0.isSpace }) {
            freshDepth = elements.count
            looseAnchor = nil
        }
    }

    /// Emits an attribute's or the reader's own text.
    mutating func emit(_ text: String) {
        emit(Array(text.utf8)[...])
    }
}

// MARK: Elements

extension HTMLReader {
    private mutating func open(_ tag: HTMLTag, in bytes: [UInt8]) {
        let id = tag.id.map { anchor(bytes, $0) } ?? ""
        guard let name = tag.name else { return note(anchor: id) }
        var traits = HTMLTraits(classes: tag.classes.map { bytes[$0] } ?? [])
        if let role = tag.role, bytes[role].elementsEqual("main".utf8) { traits.insert(.main) }
        if droppedDepth != nil {
            openInDropped(name)
        } else if traits.contains(.dropped) || name.kind == .dropped || traits.contains(.navigationHeader) {
            guard name.kind != .void, !tag.isSelfClosing else { return }
            if push(Element(name: name, traits: traits)) { droppedDepth = elements.count - 1 }
        } else if isWholePage, name == .main || (traits.contains(.main) && name.kind == .block) {
            openMain(Element(name: name, id: id))
        } else {
            closeImplied(by: name)
            begin(Element(name: name, traits: traits, id: id), tag: tag, in: bytes)
        }
    }

    /// Inside a dropped element only the nesting counts, and the chapter's name in DocBook's header.
    private mutating func openInDropped(_ name: HTMLName) {
        guard name.kind != .void, name.kind != .raw, push(Element(name: name)) else { return }
        if name == .th, let depth = droppedDepth, elements[depth].traits.contains(.navigationHeader),
            capture == nil
        {
            beginCapture(.ancestor)
        }
    }

    /// The first main part makes everything outside main parts navigation.
    private mutating func openMain(_ element: Element) {
        if !hasMain, capture == nil {
            hasMain = true
            outline.restart()
        }
        if push(element), mainDepth == nil { mainDepth = elements.count - 1 }
        outline.isMuted = false
        outline.write { $0.breakParagraph() }
    }

    /// Adds an open element; false if it is nested too deeply.
    @discardableResult
    mutating func push(_ element: Element) -> Bool {
        guard elements.count < Self.depthLimit else { return false }
        elements.append(element)
        return true
    }

    private mutating func close(_ name: HTMLName) {
        if droppedDepth == nil, name.kind != .block && name.kind != .dropped || name == .p {
            return closeInline(name)
        }
        if let depth = depth(closing: name) { pop(to: depth) }
    }

    /// The innermost open element that such an end tag closes. Only a table's own tags reach out of a cell.
    private func depth(closing name: HTMLName) -> Int? {
        let tableTags: [HTMLName] = [.table, .tr, .td, .th]
        for depth in elements.indices.reversed() {
            let open = elements[depth].name
            if open == name || (open.headingLevel != nil && name.headingLevel != nil) { return depth }
            switch open {
            case .table: return nil
            case .td, .th: if !tableTags.contains(name) { return nil }
            default: break
            }
        }
        return nil
    }

    /// Closes what the element's begin tag implies the end of (HTML standard, 13.1.2.4).
    private mutating func closeImplied(by name: HTMLName) {
        switch name {
        case .li: closeImplied([.li], within: [.ul, .ol, .menu, .dir, .td, .th])
        case .dt, .dd: closeImplied([.dt, .dd], within: [.dl, .td, .th])
        case .td, .th: closeImplied([.td, .th], within: [.table])
        case .tr: closeImplied([.tr], within: [.table])
        case .h1, .h2, .h3, .h4, .h5, .h6, .p, .ul, .ol, .dl, .table, .pre, .hr, .blockquote, .section, .article:
            closeUnfinishedCapture(by: name)
        case .body, .div: if case .title = capture { endCapture() }
        default: break
        }
    }

    private mutating func closeImplied(_ ended: [HTMLName], within barrier: [HTMLName]) {
        for depth in elements.indices.reversed() {
            if ended.contains(elements[depth].name) { return pop(to: depth) }
            if barrier.contains(elements[depth].name) { return }
        }
    }

    /// A heading, term or title whose end tag is missing does not swallow the page.
    private mutating func closeUnfinishedCapture(by name: HTMLName) {
        switch capture {
        case .heading: if let depth = elements.lastIndex(where: { $0.name.headingLevel != nil }) { pop(to: depth) }
        case .term where name.headingLevel != nil || name == .section || name == .article:
            if let depth = elements.lastIndex(where: { $0.name == .dt }) { pop(to: depth) }
        case .title: endCapture()
        default: break
        }
    }

    private mutating func pop(to depth: Int) {
        while elements.count > depth, let element = elements.popLast() {
            if let dropped = droppedDepth {
                if case .ancestor = capture, element.name == .th { endCapture() }
                if dropped == elements.count { droppedDepth = nil }
            } else {
                end(element)
            }
            if mainDepth == elements.count {
                mainDepth = nil
                outline.isMuted = true
            }
        }
        freshDepth = min(freshDepth, elements.count)
    }
}

// MARK: Anchors

extension HTMLReader {
    /// An attribute's value as an anchor; empty if it cannot be one.
    func anchor(_ bytes: [UInt8], _ range: Range<Int>) -> String {
        // No anchor that anyone wrote is longer, and every part of a section repeats it.
        guard range.count <= 300, !bytes[range].contains(where: \.isSpace) else { return "" }
        var text: [UInt8] = []
        var index = range.lowerBound
        while index < range.upperBound {
            if bytes[index] == UInt8(ascii: "&"), let entity = Entity.decode(bytes, at: index, end: range.upperBound) {
                if let scalar = entity.scalar { text.append(contentsOf: String(scalar).utf8) }
                index = entity.next
            } else {
                text.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Remembers an anchor that leads to the text that follows.
    mutating func note(anchor: String) {
        guard !anchor.isEmpty, droppedDepth == nil else { return }
        if case .heading = capture { innerAnchor = innerAnchor ?? anchor } else { looseAnchor = looseAnchor ?? anchor }
    }

    /// The anchor of the nearest element that began just before, or that stood there.
    var precedingAnchor: String? {
        for element in elements[min(freshDepth, elements.count)...].reversed() where !element.id.isEmpty {
            return element.id
        }
        return looseAnchor
    }
}
