/// Which characters a step of a ``Pattern`` takes.
struct ScalarSet: Sendable, Hashable {
    private var ranges: [ClosedRange<UInt32>] = []
    private var inner: [ScalarSet] = []
    private var categories: Set<GeneralCategory> = []
    private var isNegated = false

    init(_ ranges: ClosedRange<Unicode.Scalar>...) {
        self.ranges = ranges.map { $0.lowerBound.value...$0.upperBound.value }
    }

    init(categories: Set<GeneralCategory>) {
        self.categories = categories
    }

    /// What this set does not hold.
    var inverted: ScalarSet {
        var set = self
        set.isNegated.toggle()
        return set
    }

    mutating func insert(_ first: Unicode.Scalar, through last: Unicode.Scalar) {
        ranges.append(first.value...last.value)
    }

    mutating func insert(_ set: ScalarSet) {
        inner.append(set)
    }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        let isInside =
            ranges.contains { $0.contains(scalar.value) }
            || inner.contains { $0.contains(scalar) }
            || (!categories.isEmpty && categories.contains(GeneralCategory(of: scalar)))
        return isInside != isNegated
    }
}

extension ScalarSet {
    /// `.`: everything but the ends of lines.
    static let anyInLine = ScalarSet("\n"..."\n", "\r"..."\r", "\u{2028}"..."\u{2029}").inverted
    /// `\d`, which in ECMAScript is ASCII.
    static let digits = ScalarSet("0"..."9")
    /// `\w`, which in ECMAScript is ASCII.
    static let wordCharacters = ScalarSet("0"..."9", "A"..."Z", "_"..."_", "a"..."z")
    /// `\s`.
    static let whitespace = ScalarSet(
        "\t"..."\r",
        " "..." ",
        "\u{A0}"..."\u{A0}",
        "\u{1680}"..."\u{1680}",
        "\u{2000}"..."\u{200A}",
        "\u{2028}"..."\u{2029}",
        "\u{202F}"..."\u{202F}",
        "\u{205F}"..."\u{205F}",
        "\u{3000}"..."\u{3000}",
        "\u{FEFF}"..."\u{FEFF}"
    )

    static func only(_ scalar: Unicode.Scalar) -> ScalarSet { ScalarSet(scalar...scalar) }
}

/// The general category of Unicode by its two letters, since the standard library's has none.
struct GeneralCategory: Sendable, Hashable {
    let name: String

    private init(_ name: String) {
        self.name = name
    }

    init(of scalar: Unicode.Scalar) {
        let letters =
            switch scalar.properties.generalCategory {
            case .uppercaseLetter: "Lu"
            case .lowercaseLetter: "Ll"
            case .titlecaseLetter: "Lt"
            case .modifierLetter: "Lm"
            case .otherLetter: "Lo"
            case .nonspacingMark: "Mn"
            case .spacingMark: "Mc"
            case .enclosingMark: "Me"
            case .decimalNumber: "Nd"
            case .letterNumber: "Nl"
            case .otherNumber: "No"
            case .connectorPunctuation: "Pc"
            case .dashPunctuation: "Pd"
            case .openPunctuation: "Ps"
            case .closePunctuation: "Pe"
            case .initialPunctuation: "Pi"
            case .finalPunctuation: "Pf"
            case .otherPunctuation: "Po"
            case .mathSymbol: "Sm"
            case .currencySymbol: "Sc"
            case .modifierSymbol: "Sk"
            case .otherSymbol: "So"
            case .spaceSeparator: "Zs"
            case .lineSeparator: "Zl"
            case .paragraphSeparator: "Zp"
            case .control: "Cc"
            case .format: "Cf"
            case .surrogate: "Cs"
            case .privateUse: "Co"
            case .unassigned: "Cn"
            @unknown default: "Cn"
            }
        self.init(letters)
    }

    private static let groups: [String: [String]] = [
        "L": ["Lu", "Ll", "Lt", "Lm", "Lo"], "M": ["Mn", "Mc", "Me"], "N": ["Nd", "Nl", "No"],
        "P": ["Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"], "S": ["Sm", "Sc", "Sk", "So"], "Z": ["Zs", "Zl", "Zp"],
        "C": ["Cc", "Cf", "Cs", "Co", "Cn"],
    ]

    private static let longNames: [String: String] = [
        "Letter": "L", "Uppercase_Letter": "Lu", "Lowercase_Letter": "Ll", "Titlecase_Letter": "Lt", "Mark": "M",
        "Number": "N", "Decimal_Number": "Nd", "digit": "Nd", "Punctuation": "P", "punct": "P", "Symbol": "S",
        "Currency_Symbol": "Sc", "Math_Symbol": "Sm", "Separator": "Z", "Space_Separator": "Zs", "Other": "C",
        "Control": "Cc", "cntrl": "Cc",
    ]

    /// The categories called `name` in `\p{…}`: `L`, `Lu`, `Letter`, `General_Category=Letter`. `nil` for an unknown one.
    static func named(_ name: String) -> Set<GeneralCategory>? {
        var name = name
        for prefix in ["General_Category=", "gc="] where name.hasPrefix(prefix) { name.removeFirst(prefix.count) }
        let letters = longNames[name] ?? name
        if let group = groups[letters] { return Set(group.map { GeneralCategory($0) }) }
        return groups.values.joined().contains(letters) ? [GeneralCategory(letters)] : nil
    }
}
