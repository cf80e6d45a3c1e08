import Documents

/// A document from HTML in the shape of a page.
func html(_ body: String, title: String = "Page") throws -> Document {
    try Document("<html><head><title>\(title)</title></head><body>\(body)</body></html>", format: .html, name: "p.html")
}

func markdown(_ text: String) throws -> Document {
    try Document(text, format: .markdown, name: "notes/page.md")
}

extension Document {
    /// The text of the only section.
    var text: String { sections.count == 1 ? sections[0].text : "\(sections.count) sections" }
    var anchors: [String] { sections.map(\.anchor) }
    var paths: [[String]] { sections.map(\.headings) }
}
