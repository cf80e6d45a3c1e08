/// Text with variables, `{{name}}`.
public struct Template: Sendable, Hashable {
    /// A piece of it.
    enum Piece: Sendable, Hashable {
        case text(String)
        /// With the number of its opening braces among all of the text, from 1.
        case variable(String, number: Int)
    }

    /// Braces that look as if they were meant to hold a variable.
    struct Stray: Sendable, Hashable {
        /// As they are written, as far as they go.
        var written: String
        /// What is in them.
        var name: String
        var isClosed: Bool
        /// Of the opening ones among all of the text, from 1.
        var number: Int
    }

    let pieces: [Piece]
    /// What is text, and may be a slip.
    let strays: [Stray]

    /// Variables that every run has a value for.
    public static let known = ["date", "reader", "channel"]

    /// Braces that hold no name are text. White space around a name does not count.
    public init(_ text: String) {
        var pieces: [Piece] = []
        var strays: [Stray] = []
        var rest = text[...]
        var plain = ""
        var number = 0
        while let open = rest.firstRange(of: "{{") {
            number += 1
            plain += rest[..<open.lowerBound]
            rest = rest[open.upperBound...]
            // No variable has opening braces in it. To look no farther is to look at everything once.
            let next = rest.firstRange(of: "{{")?.lowerBound ?? rest.endIndex
            let inside = rest[..<next].firstRange(of: "}}").map { rest[..<$0.lowerBound] }
            if let inside, Self.isName(inside.trimmed) {
                pieces += [.text(plain), .variable(String(inside.trimmed), number: number)]
                plain = ""
                rest = rest[inside.endIndex...].dropFirst(2)
                continue
            }
            plain += "{{"
            if let inside, Self.looksLikeName(inside) {
                strays.append(
                    Stray(written: "{{\(inside)}}", name: String(inside.trimmed), isClosed: true, number: number)
                )
            } else {
                let word = rest.prefix { $0 == "_" || $0.isLetter || $0.isNumber }
                strays.append(Stray(written: "{{\(word)", name: String(word), isClosed: false, number: number))
            }
        }
        self.pieces = pieces + [.text(plain + rest)]
        self.strays = strays
    }

    /// The text with each variable's value in its place.
    public func text(_ values: [String: String]) -> String {
        pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .variable(let name, _): values[name] ?? ""
            }
        }
        .joined()
    }

    /// The variables in their order.
    var variables: [(name: String, number: Int)] {
        pieces.compactMap { if case .variable(let name, let number) = $0 { (name, number) } else { nil } }
    }

    static func isName(_ text: some StringProtocol) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
            default: false
            }
        }
    }

    /// Words, of whatever letters: a number or an expression between braces is more likely part of the text.
    private static func looksLikeName(_ inside: Substring) -> Bool {
        guard let first = inside.trimmed.first, first.isLetter, inside.utf8.count <= 64 else { return false }
        return inside.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" || $0 == " " }
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
