/// What cannot be seen in a text is not what whoever reads it takes it for: characters that drive the terminal, turn the direction of
/// writing around, or take no room at all.
extension Terminal {
    /// Text from documents, models and questions, with a mark in place of each character that cannot be seen.
    static func harmless(_ text: String) -> String {
        var shown = String.UnicodeScalarView()
        var previous: Unicode.Scalar?
        let scalars = text.unicodeScalars
        for index in scalars.indices {
            let scalar = scalars[index]
            let next = scalars.index(after: index)
            // The line's end as some systems write it.
            if scalar == "\r", next < scalars.endIndex, scalars[next] == "\n" { continue }
            let isLayout = scalar == "\n" || scalar == "\t"
            shown.append(isLayout || !isUnseen(scalar) || joins(scalar, behind: previous) ? scalar : "\u{FFFD}")
            previous = scalar
        }
        return String(shown)
    }

    /// The same on one line, where it must not look like several.
    static func oneLine(_ text: String) -> String { harmless(text).replacing("\n", with: " ") }

    /// The arguments of a call, JSON, on one line, with JSON's escapes in place of what cannot be seen: to JSON the same value, and to
    /// whoever decides about it exactly what the tool would be called with.
    static func exact(_ arguments: String) -> String {
        var shown = ""
        var (isString, isEscaped) = (false, false)
        for scalar in arguments.unicodeScalars {
            if isString {
                (isString, isEscaped) = (scalar != "\"" || isEscaped, scalar == "\\" && !isEscaped)
            } else {
                // White space between the parts means nothing.
                if [" ", "\n", "\t", "\r"].contains(scalar) { continue }
                isString = scalar == "\""
            }
            if isUnseen(scalar) || isBlank(scalar) {
                shown += escaped(scalar)
            } else {
                shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }

    /// What looks like a space, and is another character to a tool: U+2800 is one of Braille without a dot.
    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .spaceSeparator && scalar != " " || scalar == "\u{2800}"
    }

    /// As JSON writes it.
    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        String(scalar).utf16.reduce(into: "") { text, unit in
            let digits = String(unit, radix: 16)
            text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
    }

    private static func isUnseen(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        // Fillers and selectors of variants: letters and marks by their category.
        default: scalar.properties.isDefaultIgnorableCodePoint
        }
    }

    /// Joiners and selectors of variants belong to the spelling of many scripts, and of emoji; behind Latin letters they only hide.
    private static func joins(_ scalar: Unicode.Scalar, behind previous: Unicode.Scalar?) -> Bool {
        guard let previous, !isUnseen(previous) || previous == "\u{FE0F}" else { return false }
        return ["\u{200C}", "\u{200D}", "\u{FE0E}", "\u{FE0F}"].contains(scalar) && previous.value >= 0x0590
    }
}
