// What each element does to the text when it begins and when it ends.

extension HTMLReader {
    mutating func begin(_ element: Element, tag: HTMLTag, in bytes: [UInt8]) {
        switch element.name {
        case .h1, .h2, .h3, .h4, .h5, .h6: beginHeading(element)
        case .p:
            breakBlock()
            note(anchor: element.id)
        case .br: breakLine()
        case .hr: breakBlock()
        case .ul, .ol, .menu, .dir, .li: beginList(element)
        case .dl, .dt, .dd: beginDefinition(element)
        case .table, .tr, .td, .th: beginTable(element)
        case .pre, .listing: beginVerbatim(element)
        case .a:
            note(anchor: element.id)
            if element.id.isEmpty, let name = tag.anchorName { note(anchor: anchor(bytes, name)) }
            if !tag.isSelfClosing { link = outline.mark }
        case .q: emit("\"")
        case .img: if let alternative = tag.alternative { text(bytes, alternative) }
        case .sup: isPower = tag.classes == nil
        case .title: if capture == nil, outline.title == nil { beginCapture(.title) }
        case .body, .html: break  // their ids lead nowhere in particular
        default:
            guard element.name.kind == .block else { return note(anchor: element.id) }
            breakBlock()
            beginBlock(element)
        }
    }

    /// An element closed that is not kept among the open ones.
    mutating func closeInline(_ name: HTMLName) {
        switch name {
        case .p: breakBlock()
        case .br: breakLine()
        case .q: emit("\"")
        case .a: endLink()
        case .title: if case .title = capture { endCapture() }
        default: break
        }
    }

    mutating func end(_ element: Element) {
        switch element.name {
        case .h1, .h2, .h3, .h4, .h5, .h6: endHeading()
        case .li: outline.write { $0.endItem() }
        case .ul, .ol, .menu, .dir: if listDepth == 0 { breakBlock() } else { outline.write { $0.breakLine() } }
        case .dt: if case .term = capture { endCapture() } else { outline.write { $0.glue() } }
        case .dd: breakBlock()
        case .dl:
            if let term = element.term { outline.close(term) }
            breakBlock()
        case .table, .tr, .td, .th: endTable(element)
        case .pre, .listing:
            verbatimDepth -= 1
            if verbatimDepth == 0 { outline.write { $0.endVerbatim() } }
            breakBlock()
        default: if element.name.kind == .block { breakBlock() }
        }
        if element.traits.contains(.admonition) { admonitions -= 1 }
        if element.traits.contains(.titlePage) { titlePages -= 1 }
    }

    private mutating func beginBlock(_ element: Element) {
        guard push(element) else { return }
        if element.traits.contains(.admonition) { admonitions += 1 }
        if element.traits.contains(.titlePage) { titlePages += 1 }
    }

    /// A paragraph's end; in a table's entry only a line's, the row being the paragraph.
    mutating func breakBlock() {
        if entries > 0 || verbatimDepth > 0 {
            outline.write { $0.breakLine() }
        } else {
            outline.write { $0.breakParagraph() }
        }
    }

    private mutating func breakLine() {
        if case .term = capture { return emit(", ") }
        if verbatimDepth > 0 { emit([0x0A]) } else { outline.write { $0.breakLine() } }
    }

    private mutating func beginVerbatim(_ element: Element) {
        guard push(element.withoutTraits) else { return }
        if elements.contains(where: { $0.name == .tr }) { outline.write { $0.flow() } }
        breakBlock()
        verbatimDepth += 1
        if verbatimDepth == 1 { outline.write { $0.beginVerbatim() } }
    }

    /// Removes a permalink: a link whose whole text is a mark, here or in a heading.
    private mutating func endLink() {
        guard let start = link else { return }
        link = nil
        outline.remove(since: start) { text in
            guard (1...4).contains(text.count) else { return false }
            return ["#", "¶", "§", "🔗", "\u{F0C1}"].contains(String(decoding: text, as: UTF8.self))
        }
    }
}

// MARK: Lists

extension HTMLReader {
    private var listDepth: Int { elements.count { $0.number != nil } }

    private mutating func beginList(_ element: Element) {
        var element = element.withoutTraits
        guard element.name == .li else {
            if listDepth == 0 { breakBlock() } else { outline.write { $0.breakLine() } }
            element.number = 0
            push(element)
            return
        }
        let list = elements.lastIndex { $0.number != nil }
        var marker = "- "
        if let list, elements[list].name == .ol {
            elements[list].number = (elements[list].number ?? 0) + 1
            marker = "\(elements[list].number ?? 1). "
        }
        let indentation = String(repeating: "  ", count: min(max(listDepth - 1, 0), 8))
        outline.write { $0.item(Array((indentation + marker).utf8)) }
        push(element)
    }
}

// MARK: Tables

extension HTMLReader {
    private mutating func beginTable(_ element: Element) {
        switch element.name {
        case .table:
            // A table in a cell: the outer one is layout.
            if elements.contains(where: { $0.name == .tr }) { outline.write { $0.flow() } }
            breakBlock()
            push(element.withoutTraits)
        case .tr:
            outline.write { $0.beginRow() }
            push(element.withoutTraits)
        default:
            var element = element
            element.traits.formIntersection(.entry)
            if push(element), !element.traits.isEmpty {
                entries += 1
                outline.write { $0.flow() }
            } else {
                outline.write { $0.cell() }
            }
        }
    }

    private mutating func endTable(_ element: Element) {
        switch element.name {
        case .table:
            outline.write { $0.endRow() }
            breakBlock()
        case .tr: outline.write { $0.endRow() }
        default:
            guard element.traits.contains(.entry) else { return }
            entries -= 1
            outline.write { $0.breakParagraph() }
        }
    }
}

extension HTMLReader.Element {
    /// The element where its classes mean nothing, so that nothing has to be undone at its end.
    var withoutTraits: HTMLReader.Element {
        var element = self
        element.traits = []
        return element
    }
}
