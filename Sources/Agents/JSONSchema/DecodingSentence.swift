/// A decoding error in a sentence a model can mend its JSON by.
enum DecodingSentence {
    static func of(_ error: any Error, whole: String) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.isEmpty ? whole : path.map(\.stringValue).joined(separator: ".")
        }
        return switch error {
        case DecodingError.keyNotFound(let key, let context): "\(place(context.codingPath + [key])) is missing."
        case DecodingError.typeMismatch(_, let context): "\(place(context.codingPath)) is of the wrong type."
        case DecodingError.valueNotFound(_, let context): "\(place(context.codingPath)) is null."
        case DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty: "they are not valid JSON."
        case DecodingError.dataCorrupted(let context): "\(place(context.codingPath)) has a value that is not allowed."
        default: "they cannot be read."
        }
    }
}
