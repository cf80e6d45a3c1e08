import Documents
import Testing

@Suite("MarkdownReader", .serialized)
struct MarkdownTests {
    @Test func headingsMakeSectionsWithGitHubsAnchors() throws {
        let document = try markdown(
            """
            # The `ebb` Tool, 2.0!

            Intro.

            Set-up & use
            ------------
            One.
            ## Größe_x ##
            Two.
            ## Größe_x
            Three.
            ### Own {#mine .big}
            Four.
            #hashtag
            """
        )
        #expect(document.title == "The ebb Tool, 2.0!")
        #expect(document.anchors == ["the-ebb-tool-20", "set-up--use", "größe_x", "größe_x-1", "mine"])
        #expect(document.paths.last == ["The ebb Tool, 2.0!", "Größe_x", "Own"])
        #expect(document.sections.last?.text == "Four. #hashtag")
    }

    @Test func frontMatterGivesTheTitle() throws {
        let document = try markdown("---\ntags: [a]\ntitle: \"Leave: a guide\"\n---\nText.\n\n## A\nb\n")
        #expect(document.title == "Leave: a guide")
        #expect(document.paths == [["Leave: a guide"], ["Leave: a guide", "A"]])
        #expect(try markdown("---\nno end\n").text == "no end")
    }

    @Test func withoutHeadingTheNameIsTheTitle() throws {
        #expect(try markdown("Just text.").paths == [["page"]])
        #expect(try markdown("").sections == [Section(headings: ["page"], anchor: "", text: "")])
    }

    @Test func severalFirstHeadingsStandSideBySide() throws {
        let document = try markdown("# 2.0\n## New\na\n# 1.0\n## New\nb")
        #expect(document.title == "2.0")
        #expect(document.paths == [["2.0", "New"], ["1.0", "New"]])
        #expect(try markdown("---\ntitle: T\n---\n# A\na\n# B\nb").paths == [["T", "A"], ["T", "B"]])
    }

    @Test func textBeforeTheTitleHasItsOwnSection() throws {
        let document = try markdown("badge\n\n# T\ntext")
        #expect(document.sections.map(\.text) == ["badge", "text"])
        #expect(document.paths == [["T"], ["T"]])
        #expect(document.anchors == ["", "t"])
    }

    @Test(arguments: [
        ("*a* **b** ***c*** _d_ __e__ ~~f~~ ~g", "a b c d e f ~g"),
        ("max_connections __init__ a*b 2*3*4 snake_case_name", "max_connections init a*b 2*3*4 snake_case_name"),
        ("`a*b*` ``c ` d`` `unclosed <b>*x*</b>", "a*b* c ` d `unclosed x"),
        ("\\*a\\* \\_b C:\\dir &lt;&copy; `&lt;`", "*a* _b C:\\dir <© &lt;"),
        ("[a *b*](http://x \"t\") ![alt](i.png) [c](<d e>) [x] [y](z", "a b alt c [x] [y](z"),
        ("[a](b(c)d) [e](f (g)) [h][] [i][J  k]\n\n[j K]: /x\n[h]: <y>", "a e h i"),
        (
            "<https://a.b/c_d_> <a@b.c> List<Int> <your-token> <b>bold</b>",
            "https://a.b/c_d_ a@b.c List<Int> <your-token> bold"
        ),
        ("a  \nb\\\nc\nd", "a\nb\nc d"),
        ("![x](data:image/png;base64,AAAA+/=) y", "x y"),
        ("**bold*text [unclosed **", "**bold*text [unclosed **"),
        ("a[i][j] [^1]", "a[i][j] [^1]"),
    ])
    func inline(source: String, text: String) throws {
        #expect(try markdown(source).text == text)
    }

    @Test(arguments: [
        ("- a\n- b\n  - c\n\n    d\n- e", "- a\n- b\n  - c\n\nd\n- e"),
        ("1. a\n2. b\n   more\nlazy\n10) c", "1. a\n2. b more lazy\n10. c"),
        ("> a\n> b\n>> c\nlazy\n\nd", "a b\n\nc lazy\n\nd"),
        ("```sh\n# not a heading\n  x\n\n~~~\n```\ny", "# not a heading\n  x\n\n~~~\n\ny"),
        ("~~~\nnever closed\n# x", "never closed\n# x"),
        ("- a\n  ```\n  code\n    in\n  ```\n- b", "- a\n\ncode\n  in\n\n- b"),
        ("> ```\n> code\nout", "code\n\nout"),
        ("a\n    not code\n\n    code\n\n      more\nb", "a not code\n\ncode\n\n  more\n\nb"),
        ("\tcode\n\n-     code", "code\n\n- code"),
        ("| a | b |\n|---|:-:|\n| `x` | y\\|z |\n| - | - |\nend", "a | b\nx | y|z\n- | -\nend"),
        ("a\nb | c\n--|--\nd | e\n\nf", "a\n\nb | c\nd | e\n\nf"),
        ("a | b\nc", "a | b c"),
        ("a\n***\nb\n\n- - -\nc", "a\n\nb\n\nc"),
        ("text of\n2024. not a list", "text of 2024. not a list"),
        ("!!! note \"Mind\"\n    This *one*.\n\nOut.", "note Mind\n\nThis one.\n\nOut."),
    ])
    func blocks(source: String, text: String) throws {
        let found = try markdown(source).text
        #expect(found == text)
    }

    @Test(arguments: [
        ("<div align=center>\n<b>a</b>\n</div>\n\nb", "a\n\nb"),
        ("<!-- a\n\n# b -->\nc", "c"),
        ("<script>\n\nx\n</script>\ny", "y"),
        ("<details>\n<summary>S</summary>\n\n- *a*\n\n</details>\nb", "S\n\n- a"),
        ("<nav>\n\n- [x](y)\n\n</nav>\n\nb", "b"),
        ("<table>\n<tr><td>a</td>\n<td>b</td></tr>\n</table>\n\nc", "a | b\n\nc"),
        ("<main>\na\n</main>\n\nb", "a\n\nb"),
        ("<pre>\n*a*\n\n  b</pre>\n*c*", "*a*\n\n  b\n\nc"),
    ])
    func htmlBlocks(source: String, text: String) throws {
        let found = try markdown(source).text
        #expect(found.hasPrefix(text))
    }

    @Test func htmlHeadingsAndAnchorsCount() throws {
        let document = try markdown(
            "<h1 align=center id=top>T</h1>\n\ntext\n\n## <a id=\"x\"></a>A\nb\n\n<nav>\n\n## C\nd"
        )
        #expect(document.title == "T")
        #expect(document.anchors == ["top", "x", "c"])
        #expect(document.sections.map(\.text) == ["text", "b", "d"])
    }

    @Test func aSetextHeadingInAListIsARule() throws {
        #expect(try markdown("- a\n---\nb").text == "- a\n\nb")
    }
}
