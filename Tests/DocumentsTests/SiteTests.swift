import Documents
import Testing

/// Pages in the shape of other documentation generators, and plain ones.
@Suite("HTMLReader, sites", .serialized)
struct SiteTests {
    @Test func sphinx() throws {
        let document = try html(
            """
            <div class="related" role="navigation"><ul><li>Kelp 1.0 »</li></ul></div>\
            <div class="document"><div class="body" role="main"><section id="module-kelp"><span id="kelp"></span>\
            <h1>kelp — Sea plants<a class="headerlink" href="#module-kelp">¶</a></h1><p>Plants.</p>\
            <dl class="py function"><dt class="sig" id="kelp.grow"><span class="pre">kelp.</span>\
            <span class="pre">grow</span><span>(</span><em>n</em><span>)</span>\
            <a class="headerlink" href="#kelp.grow">¶</a></dt><dd><p>Grow by <code>n</code>.</p>\
            <div class="highlight-python3"><div class="highlight"><pre><span></span><span>grow</span><span>(</span>3<span>)</span>
            </pre></div></div></dd></dl></section></div></div><div class="sphinxsidebar"><h3>Contents</h3></div>\
            <div class="footer">© Kelp</div>
            """,
            title: "kelp — Sea plants &#8212; Kelp 1.0 documentation"
        )
        #expect(document.title == "kelp — Sea plants")
        #expect(document.paths == [["kelp — Sea plants"], ["kelp — Sea plants", "kelp.grow(n)"]])
        #expect(document.anchors == ["module-kelp", "kelp.grow"])
        #expect(document.sections.map(\.text) == ["Plants.", "Grow by n.\n\ngrow(3)"])
    }

    @Test func mkDocs() throws {
        let document = try html(
            """
            <header class="md-header"><h2>Handbook</h2></header><main class="md-main"><div class="md-sidebar"><nav>\
            <ul><li>Home</ul></nav></div><article><h1 id="install">Install<a class="headerlink" href="#install" \
            title="Permanent link">&para;</a></h1><p>Steps:</p><ol><li>Get it.</li><li>Run it:<ul><li>fast</ul></ol>\
            <div class="admonition note"><p class="admonition-title">Note</p><p>Mind.</p></div>\
            <h2 id="linux">Linux</h2><table class="highlighttable"><tr><td class="linenos"><pre>1
            2</pre></td><td class="code"><pre><code>get a
              get b
            </code></pre></td></tr></table></article></main><footer><h2>Built with</h2></footer>
            """,
            title: "Install - Handbook"
        )
        #expect(document.paths == [["Install"], ["Install", "Linux"]])
        #expect(document.sections[0].text == "Steps:\n\n1. Get it.\n2. Run it:\n  - fast\n\nNote\n\nMind.")
        #expect(document.sections[1].text == "get a\n  get b")
    }

    @Test func aTitleWithTheSitesNameBeforeIt() throws {
        #expect(try html("<h1>Leave</h1>x", title: "Handbook | Leave").paths == [["Leave"]])
        #expect(try html("<h1>On Leave</h1>x", title: "on leave: Handbook").paths == [["On Leave"]])
    }

    @Test func aTitleThatIsNotTheHeadingStaysAboveIt() throws {
        #expect(try html("<h1>Leave</h1>x", title: "Handbook").paths == [["Handbook", "Leave"]])
    }

    @Test func withoutTitleTheFirstHeadingAndThenTheNameServes() throws {
        #expect(try Document("<h1>A</h1>x", format: .html, name: "a/b.html").title == "A")
        #expect(try Document("<p>x", format: .html, name: "a/b.tar.html").title == "b.tar")
        #expect(try Document("", format: .html, name: "").sections.map(\.headings) == [["Untitled"]])
    }

    @Test func headingsNestByLevelEvenWhenLevelsAreSkipped() throws {
        let document = try html("<h2>A</h2>1<h4>B</h4>2<h3>C</h3>3<h2>D</h2>4<h1>E</h1>5")
        #expect(document.paths.map { $0.dropFirst().joined() } == ["A", "AB", "AC", "D", "E"])
    }

    @Test func anchorsComeFromTheHeadingThenWithinThenAround() throws {
        let document = try html(
            """
            <section id=s><h2 id=own>1</h2>x</section><section id=t><h2><a name=in>2</a></h2>x</section>
            <section id=u><h2>3</h2>x<h3>4</h3>x</section><a name="be&amp;fore"></a><h2>5</h2>x<p>far</p><h2>6</h2>x
            """
        )
        #expect(document.anchors == ["own", "in", "u", "u", "be&fore", ""])
    }

    @Test func aHeadingThatOnlyGroupsIsLeftOutAndALoneOneStays() throws {
        let document = try html("<h2>A</h2><h3>B</h3>text<h2>C</h2>")
        #expect(document.paths == [["Page", "A", "B"], ["Page", "C"]])
        #expect(document.sections[1].text.isEmpty)
    }

    @Test func anEmptyHeadingIsNone() throws {
        #expect(try html("a<h2> <img src=x></h2>b").text == "a\n\nb")
    }

    @Test func twelveHeadingsAreTheMost() throws {
        let nested = (0..<40).map { "<dl><dt id=t\($0)>t\($0)</dt><dd>d\($0)" }.joined()
        let document = try html(nested)
        #expect(document.paths.map(\.count).max() == 11)
        #expect(document.sections.last?.text.contains("t39\nd39") == true)
    }

    @Test func anOverlongHeadingIsShortenedAndStandsInTheTextWhole() throws {
        let long = String(repeating: "é", count: 400)
        let section = try #require(try html("<h2>\(long)</h2>x").sections.last)
        #expect(section.headings.last == String(repeating: "é", count: 299) + "…")
        #expect(section.text == long + "\n\nx")
    }

    @Test func moreSectionsThanTheLimitAreRefused() {
        let text = String(repeating: "<h2>a</h2>b", count: Document.sectionLimit)
        #expect(throws: DocumentError.tooManySections(limit: Document.sectionLimit)) { try html(text) }
    }
}
