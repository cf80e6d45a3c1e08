import Documents
import Testing

/// Pages in the shape that the DocBook stylesheets give them.
@Suite("HTMLReader, DocBook", .serialized)
struct DocBookTests {
    private func page(title: String, chapter: String = "Chapter 2. Tides", _ body: String) throws -> Document {
        try html(
            """
            <div class="navheader"><table><tr><th colspan="5">\(title)</th></tr><tr><td><a href="a.html">Prev</a> </td>\
            <td><a href="u.html">Up</a></td><th width="60%">\(chapter)</th><td><a href="b.html">Next</a></td></tr>\
            </table><hr /></div><div class="sect1" id="MOON"><div class="titlepage"><div><div>\
            <h2 class="title" style="clear: both">\(title)</h2></div></div></div>\(body)</div>\
            <div class="navfooter"><hr /><table><tr><td>Prev</td><td>2.4. Waves</td></tr></table></div>
            """,
            title: title
        )
    }

    @Test func theHeaderNamesTheChapterAndTheTitlePageTheAnchor() throws {
        let document = try page(title: "2.3. The Moon", "<p>It\n   pulls.</p>")
        #expect(document.title == "2.3. The Moon")
        #expect(
            document.sections == [
                Section(headings: ["Chapter 2. Tides", "2.3. The Moon"], anchor: "MOON", text: "It pulls.")
            ]
        )
    }

    @Test func aHeaderThatRepeatsTheTitleNamesNoChapter() throws {
        let document = try page(title: "Tides", chapter: " ", "<p>Sea.</p>")
        #expect(document.paths == [["Tides"]])
    }

    @Test func subsectionsTakeTheAnchorOfTheElementThatOpensThem() throws {
        let document = try page(
            title: "2.3. The Moon",
            """
            <div class="toc"><dl class="toc"><dt><a href="#NEAP">2.3.1. Neap</a></dt></dl></div>\
            <div class="sect2" id="NEAP"><div class="titlepage"><div><div><h3 class="title">2.3.1. Neap\
             <a href="#NEAP" class="id_link">#</a></h3></div></div></div><p>Low.</p></div>
            """
        )
        #expect(document.paths == [["Chapter 2. Tides", "2.3. The Moon", "2.3.1. Neap"]])
        #expect(document.anchors == ["NEAP"])
        #expect(document.text == "Low.")
    }

    @Test func aTermWithAnIdIsASectionThatEndsWithItsDefinition() throws {
        let document = try page(
            title: "Settings",
            """
            <p>Before.</p><dl><dt id="MAX-SHIPS"><span class="term"><code>max_ships</code> (<code>integer</code>)
              <a id="id-1" class="indexterm"></a>
              </span></dt><dd><p>How many.</p><div class="note"><h3 class="title">Note</h3><p>Not few.</p></div></dd>
            <dt id="MIN"><code>min</code></dt><dd><p>How few.</p></dd></dl><p>After.</p>
            """
        )
        #expect(document.anchors == ["MOON", "MAX-SHIPS", "MIN"])
        #expect(document.sections[0].text == "Before.\n\nAfter.")
        #expect(document.sections[1].headings.last == "max_ships (integer)")
        #expect(document.sections[1].text == "How many.\n\nNote\nNot few.")
        #expect(document.sections[2].headings == ["Chapter 2. Tides", "Settings", "min"])
    }

    @Test func consecutiveTermsShareTheDefinition() throws {
        let document = try page(
            title: "Options",
            """
            <dl><dt id="A"><span class="term">-a<br /></span><span class="term">--all</span></dt>\
            <dt id="B">-b</dt><dd>Both.</dd><dt><span class="term">-c</span></dt><dd><p>None.</p></dd></dl>
            """
        )
        #expect(document.anchors == ["MOON", "A"])
        #expect(document.sections[0].text == "-c\nNone.")
        #expect(document.sections[1].headings.last == "-a, --all, -b")
        #expect(document.sections[1].text == "Both.")
    }

    @Test func termsNestInDefinitions() throws {
        let document = try page(
            title: "Terms",
            "<dl><dt id=O>outer<dd>one<dl><dt id=I>inner<dd>two</dl>three</dl>four"
        )
        #expect(document.paths.map { $0.dropFirst(2).joined(separator: "/") } == ["", "outer", "outer/inner"])
        #expect(document.sections.map(\.text) == ["four", "one\n\nthree", "two"])
    }

    @Test func aFunctionTablesRowIsAParagraph() throws {
        let document = try page(
            title: "Functions",
            """
            <table><thead><tr><th class="func_table_entry"><p class="func_signature">Function</p><p>Description</p></th>\
            </tr></thead><tbody><tr><td class="func_table_entry"><p class="func_signature">
            <code>ebb</code> ( <em>n</em> <code>integer</code> ) → <code>text</code></p>
            <p>Ebbs.</p><p><code>ebb(2)</code> → <code>low</code></p></td></tr>
            <tr><td class="func_table_entry"><p class="func_signature"><code>flow</code> ()</p><p>Flows.</p></td></tr>
            </tbody></table>
            """
        )
        #expect(
            document.text == """
                Function
                Description

                ebb ( n integer ) → text
                Ebbs.
                ebb(2) → low

                flow ()
                Flows.
                """
        )
    }

    @Test func aReferencePagesHeadingsWithoutIdsLeadToThePage() throws {
        let document = try html(
            """
            <div class="refentry" id="SQL-EBB"><div class="titlepage"></div><a id="id-1.9" class="indexterm"></a>\
            <div class="refnamediv"><h2><span class="refentrytitle">EBB</span></h2><p>EBB — let go</p></div>\
            <div class="refsynopsisdiv"><h2>Synopsis</h2><pre class="synopsis">
            EBB [ <em><code>n</code></em> ]
              FROM sea
            </pre></div><div class="refsect1" id="id-2"><h2>Description</h2><p>Goes.</p></div></div>
            """,
            title: "EBB"
        )
        #expect(document.paths == [["EBB"], ["EBB", "Synopsis"], ["EBB", "Description"]])
        #expect(document.anchors == ["SQL-EBB", "SQL-EBB", "id-2"])
        #expect(document.sections[1].text == "EBB [ n ]\n  FROM sea")
    }

    @Test func onlyTheTitleOfATitlePageIsAHeading() throws {
        let document = try page(title: "Manual", "<div class=titlepage><h3 class=corpauthor>A. Author</h3></div>Text.")
        #expect(document.text == "A. Author\n\nText.")
    }

    @Test func theAlphabeticalIndexIsNotText() throws {
        let document = try page(
            title: "Index",
            "<div class=indexdiv id=i-A><h3>A</h3><dl><dt id=i1>ale, <a href=x>Beer</a></dt></dl></div>"
        )
        #expect(
            document.sections == [
                Section(headings: ["Chapter 2. Tides", "Index"], anchor: "MOON", text: "")
            ]
        )
    }
}
