import Testing

@testable import Agents

@Suite struct PatternTests {
    private func isFound(_ source: String, in text: String) throws -> Bool? {
        var work = 1_000_000
        return try Pattern(source).isFound(in: text, work: &work)
    }

    @Test(arguments: [
        ("a.c", "xabcx"), ("^(foo|bar)+$", "foobarfoo"), ("^[^a-c]$", "d"), (#"^\d{3}-\d{2,4}$"#, "123-4567"),
        (#"\bword\b"#, "a word here"), (#"^\S(|.*\S)$"#, "a b"), (#"^\w{2,}$"#, "a_9"), (#"^a{,2}$"#, "a{,2}"),
        (#"^\p{Letter}+$"#, "Öé"), (#"^\p{Lu}\P{Lu}$"#, "Ää"), (#"^[\w.-]+@[\w.-]+$"#, "a.b@c-d"),
        (#"^\u{1F600}\uD83D\uDE00$"#, "😀😀"), (#"^[\x41-\x43\]]+$"#, "AB]C"), ("^(?:a|b)(?<year>c)$", "bc"),
        ("^a{2}b??c+?$", "aabc"), ("^$", ""), ("", "anything"), ("[]|x", "x"), ("^[^]$", "\n"),
        (#"^\cA\0$"#, "\u{1}\0"),
        ("^(a?)*(b*)*$", "aab"), (#"^.$"#, "💩"),
    ]) func isFoundWhereItHolds(_ source: String, _ text: String) throws {
        #expect(try isFound(source, in: text) == true)
    }

    @Test(arguments: [
        ("a.c", "a\nc"), ("^(foo|bar)+$", "fooba"), ("^[^a-c]$", "b"), (#"^\d$"#, "߀"), (#"^\w$"#, "é"),
        (#"\bword\b"#, "swords"), (#"\Bword"#, "word"), ("^a{2}$", "aaa"), ("^a{2,}$", "a"), ("^abc$", "abc\n"),
        (#"^\p{L}+$"#, "a1"), ("[]", "x"),
    ]) func isNotFoundElsewhere(_ source: String, _ text: String) throws {
        #expect(try isFound(source, in: text) == false)
    }

    @Test(arguments: [
        ("(?=a)", "looks ahead or behind"), ("(?<!a)b", "looks ahead or behind"), (#"(a)\1"#, "refers back"),
        ("(a", "without its )"),
        ("a)", "without its ("), ("[a", "without its ]"), ("*a", "repeats nothing"), ("a**", "repeats a repetition"),
        (#"\a"#, "means nothing"), ("a{5,2}", "at least 5 and at most 2"), ("[z-a]", "runs backwards"),
        (#"\p{Script=Greek}"#, "general categories"), ("a{1001}", "more than 1000 times"),
        (#"\u{110000}"#, "no character"),
        ("((a{100}){100}){100}", "steps"), (#"\"#, "ends with a backslash"),
        (#"[\d-z]"#, "class of characters for an end"),
    ]) func whatCannotBeMatchedIsRefusedWithItsReason(_ source: String, _ reason: String) throws {
        let error = #expect(throws: PatternError.self) { try Pattern(source) }
        #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
    }

    @Test func deepAndEmptyExpressionsAreReadInNoTime() throws {
        #expect(throws: PatternError.self) { try Pattern(String(repeating: "(", count: 500)) }
        #expect(try isFound("((((){1000}){1000}){1000}){1000}", in: "") == true)
    }

    @Test func backtrackingIsNotAWayToHang() throws {
        let text = String(repeating: "a", count: 5_000) + "!"
        #expect(try isFound("^(a+)+$", in: text) == false)
        #expect(try isFound("^(a|a)*$", in: text) == false)
    }

    @Test func workRunsOutBeforePatience() throws {
        var work = 1_000
        #expect(try Pattern("(a?){500}b").isFound(in: String(repeating: "a", count: 10_000), work: &work) == nil)
    }
}
