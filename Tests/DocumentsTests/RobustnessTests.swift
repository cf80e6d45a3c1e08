import Testing

@testable import Documents

/// A generator whose runs repeat (SplitMix64).
private struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

@Suite("Document, hostile input", .serialized)
struct RobustnessTests {
    private static let seeds = [
        """
        <title>T - S</title><div class=navheader><table><tr><th>T</th></tr></table></div><main><div id=a class=note>\
        <h2 class="title">T</h2><p>x &amp; &#65; <a href='#'>¶</a><dl><dt id=b>b<br/>c</dt><dd><pre> y\n\tz</pre></dl>\
        <table><tr><td class=func_table_entry><p>q<td>r</table><ol><li>1<ul><li>2</ul></ol></div><!-- c --></main>\
        <![CDATA[d]]><script>e</script><h3>É</h3><sup>2</sup><nav>n</nav>
        """,
        """
        ---\ntitle: T\n---\n# A *b* `c` {#d}\n\n- e\n  1. f_g_h **i**\n\n> j [k](l "m") ![n][o]\n\n```x\n# p\n```\n\n\
        | q | r |\n|---|---|\n| s | t |\n\nu\n===\n\n<div>\nv\n</div>\n\n    w\n\n[o]: p\n<b>x</b> &lt; \\* <y@z> é  \nä\n
        """,
    ]

    @Test(arguments: 0..<40)
    func mutatedInputNeverTrapsAndIsAlwaysValidText(run: Int) throws {
        var random = Random(state: UInt64(run))
        let alphabet = Array("<>/\"'=&;#-!_*`[](){}|~:\\\n\t \0\u{1B}abh1é".utf8) + [0xFF, 0xC2, 0xE2, 0x80, 0xEF]
        for _ in 0..<40 {
            var bytes = Array(Self.seeds[run % 2].utf8)
            for _ in 0..<Int.random(in: 1...20, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes.remove(at: index)
                case 1: bytes.insert(alphabet.randomElement(using: &random) ?? 0, at: index)
                case 2: bytes[index] = alphabet.randomElement(using: &random) ?? 0
                default:
                    let end = Int.random(in: index..<bytes.count, using: &random)
                    bytes.insert(contentsOf: bytes[index..<end], at: Int.random(in: 0..<bytes.count, using: &random))
                }
                if bytes.isEmpty { bytes = [0x61] }
            }
            for format in [DocumentFormat.html, .markdown] { try expectValid(bytes, format) }
        }
    }

    private func expectValid(_ bytes: [UInt8], _ format: DocumentFormat) throws {
        let document: Document
        do {
            document = try Document(bytes, format: format, name: "a.md")
        } catch DocumentError.notText {
            return
        }
        #expect(!document.sections.isEmpty)
        for section in document.sections {
            #expect((1...12).contains(section.headings.count))
            #expect(section.headings.allSatisfy { $0.unicodeScalars.count <= 300 && !$0.contains("\n") && isClean($0) })
            #expect(section.text.unicodeScalars.count <= 4000 && isClean(section.text))
            #expect(section.text.first?.isNewline != true && section.text.last?.isWhitespace != true)
            #expect(!section.anchor.utf8.contains { $0.isSpace } && isClean(section.anchor))
        }
    }

    private func isClean(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control }
    }

    /// What has driven one parser or another to quadratic time.
    static let traps = [
        "<", "<a ", "<a b=\"", "<a b='\"", "<a b=\">\"", "<!--", "<!-- <", "<![CDATA[", "</", "</a", "<title>",
        "<script>",
        "<div>", "</div>", "<p></div>", "<table><tr><td>", "</p><td>", "<dl><dt id=a>", "<dt id=a>b", "<h1>", "<b>",
        "<li>", "&", "&a", "&#", "&lt", "<pre>", "<?", "<a href=x>", "<div id=a>", "<q>", "<ul>", "\"'",
        "[", "]", "[a](", "[a](b", "![", "[a](<b", "[a](b \"", "[[a]", "![a](data:", "*a ", "*", "_a", "**a*", "a**b",
        "`", "`a``", "``a`", "~~a", "<a@", "<http:", "\\", "> ", ">", "- ", "1. ", "    a\n", "\n\n", "# ", "#", "|",
        "|-",
        "a|b\n", "a|b\n-|-\n", "```\n", "<div>\n\n", "<!--\n", "[a]: b\n", "---\n", "===\n", "a\n", "\t", "- a\n  ",
        "{#",
    ]

    @Test(arguments: traps)
    func workIsLinearInTheInput(trap: String) {
        for closing in ["", "`]**>-->\"'"] {
            let small = work(on: trap, times: 400, closing: closing)
            let large = work(on: trap, times: 3200, closing: closing)
            // Eight times the input is eight times the work, or somewhat more where a search's limit is only just
            // reached; of a quadratic search it would be sixty-four times.
            #expect(large <= small * 16, "\(trap) … \(closing)")
        }
    }

    /// Bytes that the tokenizers and the inline parser looked at.
    private func work(on trap: String, times: Int, closing: String) -> Int {
        let bytes = Array((String(repeating: trap, count: times) + closing).utf8)
        var html = HTMLReader()
        html.read(bytes)
        var markdown = MarkdownReader()
        markdown.read(bytes)
        return html.examined + markdown.examined + markdown.html.examined
    }
}
