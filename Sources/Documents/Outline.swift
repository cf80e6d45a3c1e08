/// A document's sections as a reader finds them: text goes to the section that is open, or to the heading being read.
struct Outline {
    /// A section being written.
    private struct Draft {
        var heading: String
        var anchor: String
        let parent: Int?
        var prose = Prose()
        var hasChildren = false
    }

    /// An open section; a heading closes those of its own level and below, and every term.
    private struct Entry {
        let level: Int
        let draft: Int
    }

    /// A term's section, to close it when its definition ends.
    struct Term: Equatable {
        fileprivate let depth: Int
        fileprivate let draft: Int
    }

    /// Headings a path may have; the root and the page's ancestor take two.
    private static let depthLimit = 12
    /// Characters a heading may have, in Unicode scalars.
    private static let headingLimit = 300
    private static let termLevel = 7
    private static let root = 0

    /// The page's title as its metadata has it.
    var title: String? {
        didSet { title = title?.shortened(to: Self.headingLimit) ?? title }
    }
    /// What the page says it is a page of, such as its chapter.
    var ancestor: String?
    /// Text is let fall: it is outside the page's main part.
    var isMuted = false

    private var drafts = [Draft(heading: "", anchor: "", parent: nil)]
    private var path = [Entry(level: 0, draft: root)]
    private var claimedTitle: String?
    /// There are more sections than the limit: reading on would be in vain.
    private(set) var isOverfull = false
    private var capture = Prose(isOneLine: true)
    private(set) var isCapturing = false
}

// MARK: Text

extension Outline {
    private var current: Int { path.last?.draft ?? Self.root }

    /// Changes the text where the reader is.
    mutating func write(_ change: (inout Prose) -> Void) {
        if isCapturing {
            change(&capture)
        } else if !isMuted {
            change(&drafts[current].prose)
        }
    }

    /// What ``Prose/remove(since:)`` may return to, told apart from other sections' marks.
    struct Mark {
        fileprivate let draft: Int?
        fileprivate let mark: Prose.Mark
    }

    var mark: Mark {
        isCapturing ? Mark(draft: nil, mark: capture.mark) : Mark(draft: current, mark: drafts[current].prose.mark)
    }

    /// Removes what was written since the mark, if it satisfies the condition and the section is still the same.
    mutating func remove(since mark: Mark, where isUnwanted: (ArraySlice<UInt8>) -> Bool) {
        guard mark.draft == (isCapturing ? nil : current) else { return }
        write { if isUnwanted($0.text(since: mark.mark)) { $0.remove(since: mark.mark) } }
    }

    /// From here to ``endCapture()``, text is a heading's or title's.
    mutating func beginCapture() {
        capture = Prose(isOneLine: true)
        isCapturing = true
    }

    mutating func endCapture() -> String {
        isCapturing = false
        return String(decoding: capture.bytes, as: UTF8.self)
    }

    /// Forgets every section: the page's main part begins only here.
    mutating func restart() {
        drafts = [Draft(heading: "", anchor: "", parent: nil)]
        path = [Entry(level: 0, draft: Self.root)]
        claimedTitle = nil
    }
}

// MARK: Headings

extension Outline {
    /// Opens the section of a heading of level 1 to 6.
    /// - Parameter anchor: nil if the heading has none, so that the section around it has to do.
    mutating func open(_ heading: String, level: Int, anchor: String?) {
        guard !isMuted else { return }
        if claims(heading, level: level) {
            path = []
            claimedTitle = heading
            push(heading, level: 0, anchor: anchor)
        } else if level == 1, title == nil, claimedTitle != nil {
            // A page of several first headings, such as a change log, and no title over them: they stand side by side.
            path = []
            push(heading, level: 0, anchor: anchor)
        } else {
            while path.count > 1, let last = path.last, last.level >= level { path.removeLast() }
            push(heading, level: level, anchor: anchor)
        }
    }

    /// Opens the section of a term being defined; nil if it is too deep to be a section of its own.
    mutating func open(term heading: String, anchor: String) -> Term? {
        guard !isMuted, !heading.isEmpty, path.count + 2 <= Self.depthLimit else { return nil }
        let depth = path.count
        push(heading, level: Self.termLevel, anchor: anchor)
        return path.count > depth ? Term(depth: depth, draft: current) : nil
    }

    /// Another term for the same definition: joins the heading, or the text once the heading is full.
    mutating func extend(_ term: Term, with heading: String) {
        guard !heading.isEmpty else { return }
        let joined = drafts[term.draft].heading + ", " + heading
        if joined.unicodeScalars.count <= Self.headingLimit {
            drafts[term.draft].heading = joined
        } else {
            append(paragraph: heading, to: term.draft)
        }
    }

    mutating func close(_ term: Term) {
        // A heading inside the definition has closed the term already, and may have put another section in its place.
        guard path.count > term.depth, path[term.depth].draft == term.draft else { return }
        path.removeSubrange(term.depth...)
        drafts[current].prose.breakParagraph()
    }

    private mutating func push(_ heading: String, level: Int, anchor: String?) {
        guard drafts.count < Document.sectionLimit else {
            isOverfull = true
            return
        }
        let parent = path.last?.draft
        var draft = Draft(heading: heading, anchor: anchor ?? drafts[parent ?? Self.root].anchor, parent: parent)
        if let short = heading.shortened(to: Self.headingLimit) { draft.heading = short }
        if let parent { drafts[parent].hasChildren = true }
        drafts.append(draft)
        path.append(Entry(level: level, draft: drafts.count - 1))
        if draft.heading != heading { append(paragraph: heading, to: drafts.count - 1) }
    }

    private mutating func append(paragraph: String, to draft: Int) {
        drafts[draft].prose.append(Array(paragraph.utf8)[...])
        drafts[draft].prose.breakParagraph()
    }

    /// Whether this heading is the page's title itself. A title may add the site's name to it: "Install | Handbook".
    private func claims(_ heading: String, level: Int) -> Bool {
        guard claimedTitle == nil, level == 1 || drafts.count == 1 else { return false }
        guard let title = title?.lowercased() else { return level == 1 }
        let heading = heading.lowercased()
        if title == heading { return true }
        if title.hasPrefix(heading) {
            let rest = title.dropFirst(heading.count)
            return rest.first == ":" || (rest.first == " " && Self.separators.contains(rest.dropFirst().first ?? " "))
        }
        guard title.hasSuffix(heading) else { return false }
        let rest = title.dropLast(heading.count)
        return rest.last == " " && Self.separators.contains(rest.dropLast().last ?? " ")
    }

    private static let separators: Set<Character> = ["-", "–", "—", "|", "·", ":", "»", "•", "/"]
}

// MARK: The document

extension Outline {
    /// The sections read, each split into parts of readable size.
    func document(name: String) throws(DocumentError) -> Document {
        guard !isOverfull else { throw .tooManySections(limit: Document.sectionLimit) }
        let title = documentTitle(name: name)
        var sections: [Section] = []
        for index in drafts.indices where isKept(index) {
            let headings = headings(of: index, title: title)
            for text in drafts[index].prose.bytes.parts() {
                sections.append(Section(headings: headings, anchor: drafts[index].anchor, text: text))
            }
        }
        guard sections.count <= Document.sectionLimit else { throw .tooManySections(limit: Document.sectionLimit) }
        return Document(title: title, sections: sections)
    }

    /// A heading that only groups others is in their paths; by itself it would be an empty answer.
    private func isKept(_ index: Int) -> Bool {
        let draft = drafts[index]
        return !draft.prose.bytes.isEmpty || !draft.hasChildren && (index != Self.root || drafts.count == 1)
    }

    private func documentTitle(name: String) -> String {
        let file = name.split(separator: "/").last.map(String.init) ?? name
        let stem =
            DocumentFormat(path: file) == nil ? file : file.split(separator: ".").dropLast().joined(separator: ".")
        let given = [claimedTitle, title, stem].compactMap { $0?.isEmpty == false ? $0 : nil }.first ?? "Untitled"
        // A name is not a source text: it has not been cleaned.
        let clean = String(String.UnicodeScalarView(given.unicodeScalars.compactMap(SourceText.cleaned)))
        return clean.shortened(to: Self.headingLimit) ?? clean
    }

    private func headings(of index: Int, title: String) -> [String] {
        var headings: [String] = []
        var next = index
        while let parent = drafts[next].parent {
            headings.append(drafts[next].heading)
            next = parent
        }
        headings.append(drafts[next].heading.isEmpty ? title : drafts[next].heading)
        if let ancestor, !ancestor.isEmpty, ancestor != title {
            headings.append(ancestor.shortened(to: Self.headingLimit) ?? ancestor)
        }
        return headings.reversed()
    }
}

extension String {
    /// The text cut to that many scalars, the last an ellipsis; nil if it is short enough.
    func shortened(to limit: Int) -> String? {
        guard utf8.count > limit, unicodeScalars.count > limit else { return nil }
        return String(String.UnicodeScalarView(unicodeScalars.prefix(limit - 1))) + "…"
    }
}
