// Leaves: what holds text and no further blocks.

extension MarkdownReader {
    /// Gives the line to the leaf that goes on, if one does.
    mutating func continueLeaf(_ line: ArraySlice<UInt8>) -> Bool {
        switch leaf {
        case nil: return false
        case .fence(let mark, let count, let indentation, _):
            let content = line.drop { $0 == 0x20 }
            let marks = content.prefix { $0 == mark }.count
            if marks >= count, content.dropFirst(marks).trimmed().isEmpty {
                closeLeaf()
            } else {
                emitCode(line.droppingSpaces(upTo: indentation))
            }
            return true
        case .indented(let column, let blanks):
            return continueIndented(line, column: column, blanks: blanks)
        case .html(var block):
            let isBlank = line.trimmed().isEmpty
            leaf = nil  // so that the buffer is not copied
            if !isBlank || block.terminator != nil {
                block.bytes.append(contentsOf: line)
                block.bytes.append(0x0A)
            }
            let isEnd = isBlank && block.terminator == nil || block.ends(with: line)
            leaf = .html(block)
            if isEnd { closeLeaf() }
            return true
        case .table:
            let content = line.drop { $0 == 0x20 }
            if content.isEmpty || begins(content, indentation: content.startIndex - line.startIndex) {
                closeLeaf()
                return false
            }
            emit(row: content)
            return true
        }
    }

    mutating func closeLeaf() {
        let closed = leaf
        leaf = nil
        switch closed {
        case nil: return
        case .fence, .indented: html.outline.write { $0.endVerbatim() }
        case .html(let block): html.read(block.bytes)
        case .table: html.outline.write { $0.endRow() }
        }
        html.outline.write { $0.breakParagraph() }
    }

    mutating func beginCode() {
        html.outline.write {
            $0.breakParagraph()
            $0.beginVerbatim()
        }
    }

    private mutating func emitCode(_ line: ArraySlice<UInt8>) {
        html.outline.write {
            $0.appendVerbatim(line)
            $0.appendVerbatim([0x0A])
        }
    }

    mutating func beginIndented(_ content: ArraySlice<UInt8>, column: Int) {
        let codeColumn = (items.last ?? 0) + 4
        leaf = .indented(column: codeColumn, blanks: 0)
        beginCode()
        emitCode((Array(repeating: 0x20, count: column - codeColumn) + content)[...])
    }

    private mutating func continueIndented(_ line: ArraySlice<UInt8>, column: Int, blanks: Int) -> Bool {
        let indentation = line.prefix { $0 == 0x20 }.count
        if indentation == line.count {
            leaf = .indented(column: column, blanks: blanks + 1)
            return true
        }
        guard indentation >= column else {
            closeLeaf()
            return false
        }
        for _ in 0..<blanks { emitCode([]) }
        leaf = .indented(column: column, blanks: 0)
        emitCode(line.droppingSpaces(upTo: column))
        return true
    }

    mutating func closeParagraph() {
        endParagraph()
        html.outline.write { $0.breakParagraph() }
    }

    /// Ends the paragraph's text without a blank line after it, between the items of a tight list.
    mutating func endParagraph() {
        guard !paragraph.isEmpty else { return }
        emit(inline: paragraph)
        paragraph.removeAll(keepingCapacity: true)
    }
}

// MARK: Headings and tables

extension MarkdownReader {
    /// A paragraph that this line underlines is a heading.
    mutating func readUnderline(_ content: ArraySlice<UInt8>) -> Bool {
        guard !paragraph.isEmpty, let level = MarkdownLine.underline(content) else { return false }
        let text = paragraph
        paragraph = []
        read(heading: text[...], level: level)
        return true
    }

    mutating func read(heading: ArraySlice<UInt8>, level: Int) {
        // What HTML is still open ends here, lest a forgotten end tag swallow the rest.
        html.closeAll()
        let (text, id) = MarkdownLine.attributes(heading)
        html.beginCapture(.heading(level: level, anchor: id))
        emit(inline: Array(text))
        let title = html.outline.endCapture()
        html.capture = nil
        guard !title.isEmpty else { return }
        html.outline.open(title, level: level, anchor: id ?? html.innerAnchor ?? slugs.next(for: title))
    }

    mutating func readTable(_ content: ArraySlice<UInt8>) -> Bool {
        guard !paragraph.isEmpty, let columns = MarkdownLine.tableDelimiter(content) else { return false }
        let header = paragraph[lastLineStart...]
        guard header.contains(UInt8(ascii: "|")), MarkdownLine.cells(header).count == columns else { return false }
        paragraph.removeSubrange(max(0, lastLineStart - 1)...)
        closeParagraph()
        emit(row: header)
        leaf = .table
        return true
    }

    private mutating func emit(row: ArraySlice<UInt8>) {
        html.outline.write { $0.beginRow() }
        for cell in MarkdownLine.cells(row) {
            html.outline.write { $0.cell() }
            emit(inline: Array(cell))
        }
        html.outline.write { $0.endRow() }
    }

    private mutating func emit(inline bytes: [UInt8]) {
        var parser = MarkdownInline(bytes, references: references)
        parser.parse()
        parser.emit(into: &html)
        examined += parser.examined
    }
}

extension ArraySlice<UInt8> {
    fileprivate func droppingSpaces(upTo count: Int) -> ArraySlice<UInt8> {
        dropFirst(prefix(count).prefix { $0 == 0x20 }.count)
    }
}
