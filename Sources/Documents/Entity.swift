/// Character references of HTML: numeric ones, and the named ones that occur in practice.
enum Entity {
    /// The longest reference that is looked at, `&CounterClockwise…` and other rarities being left as they stand.
    private static let nameLimit = 10

    /// Decodes the reference whose `&` is at `start`.
    /// - Returns: the scalar, nil if it is one that readable text leaves out, and the position after the reference;
    ///   nil if this is just an ampersand.
    static func decode(_ bytes: [UInt8], at start: Int, end: Int) -> (scalar: Unicode.Scalar?, next: Int)? {
        guard start + 1 < end else { return nil }
        return bytes[start + 1] == UInt8(ascii: "#")
            ? numeric(bytes, at: start + 2, end: end) : named(bytes, at: start + 1, end: end)
    }

    private static func numeric(_ bytes: [UInt8], at start: Int, end: Int) -> (scalar: Unicode.Scalar?, next: Int)? {
        let isHex = start < end && bytes[start] | 0x20 == UInt8(ascii: "x")
        let radix: UInt32 = isHex ? 16 : 10
        let first = isHex ? start + 1 : start
        var index = first
        var value: UInt32 = 0
        while index < end, let digit = Character(Unicode.Scalar(bytes[index])).hexDigitValue, digit < radix {
            value = min(value * radix + UInt32(digit), 0x110000)
            index += 1
        }
        guard index > first else { return nil }
        if index < end, bytes[index] == UInt8(ascii: ";") { index += 1 }
        if (0x80..<0xA0).contains(value) { value = UInt32(SourceText.windows1252[Int(value) - 0x80]) }
        return (value == 0 ? "\u{FFFD}" : SourceText.cleaned(Unicode.Scalar(value) ?? "\u{FFFD}"), index)
    }

    private static func named(_ bytes: [UInt8], at start: Int, end: Int) -> (scalar: Unicode.Scalar?, next: Int)? {
        var index = start
        while index < end, bytes[index].isAlphanumeric, index - start <= nameLimit { index += 1 }
        guard index > start, index - start <= nameLimit else { return nil }
        let name = String(decoding: bytes[start..<index], as: UTF8.self)
        if index < end, bytes[index] == UInt8(ascii: ";") {
            return scalars[name].map { (SourceText.cleaned($0), index + 1) }
        }
        // The few that old pages write without their semicolon.
        guard ["amp", "lt", "gt", "quot", "nbsp", "copy", "reg"].contains(name) else { return nil }
        return scalars[name].map { (SourceText.cleaned($0), index) }
    }

    private static let scalars: [String: Unicode.Scalar] = {
        var scalars: [String: Unicode.Scalar] = ["nbsp": "\u{A0}", "shy": "\u{AD}", "ensp": " ", "emsp": " "]
        scalars["thinsp"] = " "
        scalars["zwnj"] = "\u{200C}"
        scalars["zwj"] = "\u{200D}"
        var words = table.split(whereSeparator: { $0 == " " || $0 == "\n" })[...]
        while let name = words.popFirst(), let scalar = words.popFirst()?.unicodeScalars.first {
            scalars[String(name)] = scalar
        }
        return scalars
    }()

    private static let table = """
        amp & AMP & lt < LT < gt > GT > quot " QUOT " apos ' num # lpar ( rpar ) lsqb [ rsqb ] lbrack [ rbrack ]
        lcub { rcub } lbrace { rbrace } vert | verbar | ast * plus + equals = period . comma , colon : semi ; excl !
        quest ? sol / bsol \\ lowbar _ grave ` dollar $ percnt % commat @ Hat ^ tilde ˜ circ ˆ hyphen ‐ dash ‐
        iexcl ¡ cent ¢ pound £ curren ¤ yen ¥ brvbar ¦ sect § uml ¨ copy © COPY © ordf ª laquo « not ¬ reg ® REG ®
        macr ¯ deg ° plusmn ± pm ± sup1 ¹ sup2 ² sup3 ³ acute ´ micro µ para ¶ middot · cedil ¸ ordm º raquo »
        frac14 ¼ frac12 ½ half ½ frac34 ¾ iquest ¿ times × divide ÷
        Agrave À Aacute Á Acirc Â Atilde Ã Auml Ä Aring Å AElig Æ Ccedil Ç Egrave È Eacute É Ecirc Ê Euml Ë
        Igrave Ì Iacute Í Icirc Î Iuml Ï ETH Ð Ntilde Ñ Ograve Ò Oacute Ó Ocirc Ô Otilde Õ Ouml Ö Oslash Ø
        Ugrave Ù Uacute Ú Ucirc Û Uuml Ü Yacute Ý THORN Þ szlig ß
        agrave à aacute á acirc â atilde ã auml ä aring å aelig æ ccedil ç egrave è eacute é ecirc ê euml ë
        igrave ì iacute í icirc î iuml ï eth ð ntilde ñ ograve ò oacute ó ocirc ô otilde õ ouml ö oslash ø
        ugrave ù uacute ú ucirc û uuml ü yacute ý thorn þ yuml ÿ OElig Œ oelig œ Scaron Š scaron š Zcaron Ž zcaron ž
        Yuml Ÿ fnof ƒ ndash – mdash — horbar ― lsquo ‘ rsquo ’ sbquo ‚ ldquo “ rdquo ” bdquo „ dagger † Dagger ‡
        bull • bullet • hellip … mldr … permil ‰ prime ′ Prime ″ lsaquo ‹ rsaquo › oline ‾ frasl ⁄ euro € trade ™ TRADE ™
        larr ← uarr ↑ rarr → darr ↓ harr ↔ crarr ↵ lArr ⇐ uArr ⇑ rArr ⇒ dArr ⇓ hArr ⇔ map ↦
        forall ∀ part ∂ exist ∃ empty ∅ nabla ∇ isin ∈ notin ∉ ni ∋ prod ∏ sum ∑ minus − lowast ∗ radic √ prop ∝
        infin ∞ ang ∠ and ∧ or ∨ cap ∩ cup ∪ int ∫ there4 ∴ sim ∼ cong ≅ asymp ≈ ne ≠ equiv ≡ le ≤ ge ≥
        sub ⊂ sup ⊃ nsub ⊄ sube ⊆ supe ⊇ oplus ⊕ otimes ⊗ perp ⊥ sdot ⋅ lceil ⌈ rceil ⌉ lfloor ⌊ rfloor ⌋
        lang ⟨ rang ⟩ loz ◊ spades ♠ clubs ♣ hearts ♥ diams ♦ check ✓ cross ✗ star ☆ starf ★
        Alpha Α Beta Β Gamma Γ Delta Δ Theta Θ Lambda Λ Pi Π Sigma Σ Phi Φ Psi Ψ Omega Ω
        alpha α beta β gamma γ delta δ epsilon ε zeta ζ eta η theta θ iota ι kappa κ lambda λ mu μ nu ν xi ξ
        pi π rho ρ sigma σ tau τ upsilon υ phi φ chi χ psi ψ omega ω
        """
}
