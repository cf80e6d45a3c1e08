/// The elements the reader knows. Others are transparent: their tags vanish, their text stays.
enum HTMLName: String, CaseIterable {
    case a, abbr, acronym, address, annotation, area, article, aside, audio, b, base, bdi, bdo, big, blockquote, body
    case br, button, canvas, caption, center, cite, code, col, colgroup, data, datalist, dd, del, details, dfn, dialog
    case dir, div, dl, dt, em, embed, fieldset, figcaption, figure, font, footer, form, frame, frameset, h1, h2, h3, h4
    case h5, h6, head, header, hgroup, hr, html, i, iframe, img, input, ins, kbd, label, legend, li, link, listing, main
    case map, mark, math, menu, meta, meter, nav, nobr, noembed, noframes, noscript, object, ol, optgroup, option
    case output, p, param, picture, pre, progress, q, rp, rt, ruby, s, samp, script, search, section, select, slot
    case small, source, span, strike, strong, style, sub, summary, sup, svg, table, tbody, td, template, textarea, tfoot
    case th, thead, time, title, tr, track, tt, u, ul, `var`, video, wbr, xmp

    /// How an element shapes the text around it.
    enum Kind {
        case inline, block, void
        /// What is inside is not markup, and not to be read.
        case raw
        /// What is inside is not to be read.
        case dropped
    }

    var kind: Kind {
        switch self {
        case .area, .base, .br, .col, .embed, .frame, .hr, .img, .input, .link, .meta, .param, .source, .track, .wbr:
            .void
        case .script, .style, .iframe, .noembed, .noframes, .textarea, .xmp, .title:
            .raw
        case .nav, .noscript, .template, .footer, .button, .select, .svg, .audio, .video, .canvas, .dialog, .datalist,
            .annotation:
            .dropped
        case .address, .article, .aside, .blockquote, .body, .caption, .center, .dd, .details, .dir, .div, .dl, .dt,
            .fieldset, .figcaption, .figure, .form, .h1, .h2, .h3, .h4, .h5, .h6, .header, .hgroup, .legend, .li,
            .listing, .main, .menu, .ol, .p, .pre, .search, .section, .summary, .table, .td, .th, .tr, .ul:
            .block
        default:
            .inline
        }
    }

    /// 1 to 6 for a heading.
    var headingLevel: Int? {
        switch self {
        case .h1: 1
        case .h2: 2
        case .h3: 3
        case .h4: 4
        case .h5: 5
        case .h6: 6
        default: nil
        }
    }

    /// The length of the longest name, `figcaption`.
    static let lengthLimit = 10

    /// The element of that name in any case; nil if it is not known.
    init?(_ name: ArraySlice<UInt8>) {
        guard name.count <= Self.lengthLimit else { return nil }
        let lowercased = String(unsafeUninitializedCapacity: name.count) { buffer in
            for (offset, byte) in name.enumerated() { buffer[offset] = byte.lowercased }
            return name.count
        }
        guard let known = Self.byName[lowercased] else { return nil }
        self = known
    }

    private static let byName = Dictionary(uniqueKeysWithValues: allCases.map { ($0.rawValue, $0) })
}

/// What an element's attributes say about how to read it.
struct HTMLTraits: OptionSet {
    let rawValue: UInt8

    /// Navigation, tables of contents, line numbers, permalinks: not the page's own text.
    static let dropped = HTMLTraits(rawValue: 1 << 0)
    /// DocBook's header table, which is dropped but names the chapter.
    static let navigationHeader = HTMLTraits(rawValue: 1 << 1)
    /// A note, tip or warning: its heading is no section's.
    static let admonition = HTMLTraits(rawValue: 1 << 2)
    /// DocBook's title page, where only the heading of class `title` is a section's.
    static let titlePage = HTMLTraits(rawValue: 1 << 3)
    static let title = HTMLTraits(rawValue: 1 << 4)
    /// A table's cell that documents one thing in several paragraphs.
    static let entry = HTMLTraits(rawValue: 1 << 5)
    /// The page's main part, by its role.
    static let main = HTMLTraits(rawValue: 1 << 6)

    /// The traits of a list of classes; only so many are looked at, a page having no reason for more.
    init(classes: ArraySlice<UInt8>) {
        self = []
        for name in classes.split(maxSplits: 16, whereSeparator: \.isSpace) where name.count <= 32 {
            let name = String(decoding: name, as: UTF8.self)
            if let traits = Self.byClass[name] {
                formUnion(traits)
            } else if name.hasPrefix("list-of-") {
                formUnion(.dropped)
            } else if name.hasSuffix("_table_entry") {
                formUnion(.entry)
            }
        }
    }

    init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    private static let byClass: [String: HTMLTraits] = {
        var traits: [String: HTMLTraits] = [
            "navheader": .navigationHeader, "titlepage": .titlePage, "title": .title,
            "note": .admonition, "tip": .admonition, "warning": .admonition,
            "caution": .admonition, "important": .admonition, "admonition": .admonition, "danger": .admonition,
        ]
        for name in droppedClasses { traits[name] = .dropped }
        return traits
    }()

    private static let droppedClasses = [
        // DocBook
        "navfooter", "toc", "indexdiv", "indexdiv-quicklinks", "id_link",
        // Sphinx
        "toctree-wrapper", "sphinxsidebar", "related", "headerlink", "indextable", "linenos", "linenodiv",
        "wy-nav-side", "wy-breadcrumbs", "rst-footer-buttons", "localtoc",
        // MkDocs, mdBook, Docusaurus, GitHub
        "md-sidebar", "md-skip", "md-source-file", "md-content__button", "permalink", "header-anchor", "hash-link",
        "lineno", "breadcrumbs", "skip-link", "sr-only", "visually-hidden", "nav-chapters", "theme-edit-this-page",
    ]
}
