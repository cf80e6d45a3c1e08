import Documents
import Testing

@Suite("HTMLReader, text", .serialized)
struct HTMLTextTests {
    @Test(arguments: [
        ("a <b>b</b>c <i> d</i>", "a bc d"),
        ("a<br>b<p>c<div>d</div>e", "a\nb\n\nc\n\nd\n\ne"),
        ("&lt;T&gt; &amp;amp; &#65;&#x42; &eacute;&mdash;&nbsp;x&hellip;", "<T> &amp; AB é— x…"),
        ("&#0;&#xD800;&#x110000;&#150;&#8;.", "\u{FFFD}\u{FFFD}\u{FFFD}–."),
        ("AT&T &unknown; &; &# &#x; & &amp", "AT&T &unknown; &; &# &#x; & &"),
        ("<script>if (a < b) '</p>'</script>x<style>p{}</style><template>t</template><noscript>n</noscript>", "x"),
        ("a<!-- <p>b --> c<!----> d<!--> e", "a c d e"),
        ("<![CDATA[a < b &amp; c]]>", "a < b &amp; c"),
        ("<?php echo 1 ?>x<!DOCTYPE y>z", "xz"),
        ("10<sup>3</sup> 1<sup>st</sup> a<sup class=footnote>2</sup>", "10^3 1st a2"),
        ("<q>so</q> <img alt='a &amp; b' src=x>", "\"so\" a & b"),
        ("<p hidden=a>b<a href=/x/y/>c</a>d</p>", "bcd"),
        ("Hash <a href=#x>#</a> and <a href=#y>§ 1</a>", "Hash and § 1"),
        ("<custom-tag>a</custom-tag><FOO>b</FOO>", "ab"),
    ])
    func inline(source: String, text: String) throws {
        #expect(try html(source).text == text)
    }

    @Test(arguments: [
        ("<ul><li>a<li><p>b</p><p>c</p></ul>d", "- a\n\n- b\n\nc\n\nd"),
        ("<ol><li>a<ul><li>b</ul><li>c</ol>", "1. a\n  - b\n2. c"),
        ("<ul><li></li></ul>x", "x"),
        ("<table><tr><th>a<th>b<tr><td>1<td><p>2</p><p>3</p></table>x", "a | b\n1 | 2 3\n\nx"),
        ("<table><tr><td><td>a<td><td>b<td></table>", "| a | | b"),
        ("<table><caption>C</caption><tr><td>a</td></tr></table>", "C\n\na"),
        ("<table><tr><td><table><tr><td>1<td>2</table><td>b</table>", "1 | 2\n\nb"),
        ("<pre>\n\n  a\n\tb\n\n<b>c</b>  \n</pre>d", "  a\n    b\n\nc\n\nd"),
        ("<pre>a<br>b<div>c</div><div>d</div></pre>", "a\nb\nc\nd"),
        ("<dl><dt>a<dt>b<dd>c<dd>d</dl>", "a\nb\nc\n\nd"),
        ("<blockquote>a</blockquote><hr>b<details><summary>c</summary>d</details>", "a\n\nb\n\nc\n\nd"),
    ])
    func blocks(source: String, text: String) throws {
        #expect(try html(source).text == text)
    }

    @Test(arguments: [
        ("a < b and 3<4 <", "a < b and 3<4 <"),
        ("a <b", "a <b"),
        ("<div class=\"x>a</div>b", "a\n\nb"),
        ("<div class='x>a</div>b<p class='y'>c", "c"),
        ("<p =\"\" a=b=c / d>x", "x"),
        ("</p></div></ul>x</b></table></td>", "x"),
        ("a<!-- never closed <p>x", "a"),
        ("a<!-- b", "a<!-- b"),
        ("<li>a<dd>b<td>c<tr>d", "- a\n\nb\n\nc\nd"),
        ("<a href=x>a<a href=y>b", "ab"),
        ("<table><tr><td>a</div></p>b", "a b"),
    ])
    func malformed(source: String, text: String) throws {
        #expect(try Document(source, format: .html, name: "x.html").text == text)
    }

    @Test func anUnclosedHeadingOrTitleDoesNotSwallowThePage() throws {
        let document = try Document("<title>T<body><h2 id=a>A<p>text<h2>B</h3>more", format: .html, name: "x.html")
        #expect(document.paths == [["T", "A"], ["T", "B"]])
        #expect(document.sections.map(\.text) == ["text", "more"])
    }

    @Test func deeplyNestedElementsKeepTheirText() throws {
        let depth = 100_000
        let source = String(repeating: "<div>", count: depth) + "x" + String(repeating: "</div>", count: depth) + "y"
        #expect(try html(source).text == "x\n\ny")
    }

    @Test func aLongSectionIsSplitAtParagraphs() throws {
        let paragraph = String(repeating: "word ", count: 300)
        let document = try html("<h2 id=a>A</h2>" + String(repeating: "<p>\(paragraph)</p>", count: 5))
        #expect(document.anchors == ["a", "a", "a"])
        #expect(document.sections.map(\.text.count) == [3000, 3000, 1499])
    }

    @Test func aParagraphTooLongIsSplitAtLinesOrWordsOrAnywhere() throws {
        let rows = String(repeating: "<tr><td>ab<td>cd", count: 1000)
        for part in try html("<table>\(rows)</table>").sections {
            #expect(part.text.hasPrefix("ab | cd") && part.text.hasSuffix("ab | cd"))
        }
        for part in try html(String(repeating: "word ", count: 3000)).sections {
            #expect(part.text.hasPrefix("word") && part.text.hasSuffix("word"))
        }
        let solid = try html(String(repeating: "€", count: 9001)).sections
        #expect(solid.map(\.text.count) == [4000, 4000, 1001])
    }
}
