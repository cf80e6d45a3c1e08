import Testing

@testable import Console

/// What a terminal is shown of texts that others wrote.
@Suite struct VisibleTests {
    @Test func whatCannotBeSeenInTheArgumentsOfACallIsWrittenAsJSONWritesIt() {
        let arguments = "{\"to\":\"ad\u{202E}a\u{200B}\u{202C}\u{1B}[2J\u{9B}\u{E0041}\u{3164}\"}"
        #expect(
            Terminal.exact(arguments)
                == #"{"to":"ad\u202ea\u200b\u202c\u001b[2J\u009b\udb40\udc41\u3164"}"#
        )
        #expect(
            Terminal.exact("{\"to\":\"a b\u{A0}c\u{2003}d\u{2800}e\u{3000}\"}")
                == #"{"to":"a b\u00a0c\u2003d\u2800e\u3000"}"#
        )
        #expect(Terminal.exact("{\n  \"a\": 1,\r\n\t\"b\" : [ ]\n}") == #"{"a":1,"b":[]}"#)
        #expect(Terminal.exact(#"{ "a b\\" : "\" \\\" c" }"#) == #"{"a b\\":"\" \\\" c"}"#)
        #expect(Terminal.exact(#"{"to":"Žofie 東京"}"#) == #"{"to":"Žofie 東京"}"#)
    }

    @Test func whatCannotBeSeenElsewhereLeavesAMark() {
        #expect(Terminal.harmless("a\u{202E}b\u{200B}c\u{1B}[31m\u{AD}") == "a�b�c�[31m�")
        #expect(Terminal.harmless("a\u{200D}b\u{FE0F}") == "a�b�")
        #expect(Terminal.harmless("one\r\ntwo\tthree\rfour\u{2028}") == "one\ntwo\tthree�four�")
    }

    @Test func whatBelongsToTheSpellingOfAWordStays() {
        for text in ["می\u{200C}خواهم", "❤\u{FE0F}\u{200D}🔥", "👩\u{200D}💻", "naïve – »so«"] {
            #expect(Terminal.harmless(text) == text)
        }
    }
}
