// Headings, terms and titles: what is captured as one line before it is known where it belongs.

extension HTMLReader {
    mutating func beginCapture(_ new: Capture) {
        capture = new
        innerAnchor = nil
        outline.beginCapture()
    }

    mutating func endCapture() {
        guard let ended = capture else { return }
        let text = outline.endCapture()
        capture = nil
        switch ended {
        case .title: if !text.isEmpty { outline.title = text }
        // The header's first cell repeats the title, the second names the chapter.
        case .ancestor: if !text.isEmpty { outline.ancestor = text }
        case .heading(let level, let anchor): endHeading(text, level: level, anchor: anchor ?? innerAnchor)
        case .term(let anchor): endTerm(text, anchor: anchor)
        }
    }
}

// MARK: Headings

extension HTMLReader {
    mutating func beginHeading(_ element: Element) {
        let isSection = capture == nil
        let isTitle = titlePages == 0 || element.traits.contains(.title)
        breakBlock()
        guard push(element.withoutTraits), isSection, isTitle, admonitions == 0, let level = element.name.headingLevel
        else { return }
        let own = element.id.isEmpty ? nil : element.id
        outerAnchor = precedingAnchor
        beginCapture(.heading(level: level, anchor: own))
    }

    mutating func endHeading() {
        if case .heading = capture { return endCapture() }
        // An admonition's: the line its text begins with.
        if admonitions > 0 { outline.write { $0.glue() } } else { breakBlock() }
    }

    private mutating func endHeading(_ text: String, level: Int, anchor: String?) {
        guard !text.isEmpty else { return }
        if elements.contains(where: { $0.name == .tr }) { outline.write { $0.flow() } }
        outline.open(text, level: level, anchor: anchor ?? outerAnchor)
    }
}

// MARK: Terms

extension HTMLReader {
    mutating func beginDefinition(_ element: Element) {
        let list = elements.lastIndex { $0.name == .dl }
        breakBlock()
        guard push(element.withoutTraits), let list else { return }
        if element.name == .dd { elements[list].isDefining = true }
        guard element.name == .dt else { return }
        if elements[list].isDefining {
            if let term = elements[list].term { outline.close(term) }
            elements[list].term = nil
            elements[list].isDefining = false
        }
        // Terms that share a definition share the first one's section.
        guard !element.id.isEmpty || elements[list].term != nil, capture == nil else { return }
        beginCapture(.term(anchor: element.id))
    }

    private mutating func endTerm(_ text: String, anchor: String) {
        let text = text.droppingLast(",")
        guard let list = elements.lastIndex(where: { $0.name == .dl }) else { return }
        if let term = elements[list].term {
            outline.extend(term, with: text)
        } else if let term = outline.open(term: text, anchor: anchor) {
            elements[list].term = term
        } else {
            emit(text)
            outline.write { $0.glue() }
        }
    }
}

extension String {
    fileprivate func droppingLast(_ suffix: Character) -> String {
        last == suffix ? String(dropLast()) : self
    }
}
