public import Contract
public import Wire

extension JSON {
    /// A call's arguments as its operation.
    /// - Throws: `invalid_argument`, with a sentence that names the member that does not fit, never its value.
    public func decodeArguments<O: Operation>(of operation: O.Type) throws(ServiceError) -> O {
        do {
            return try O(decoding: self)
        } catch let error as DecodingError {
            throw .invalidArgument("\(O.name): \(error.sentence(about: self))")
        } catch {
            throw .invalidArgument("The arguments are not those of \(O.name).")
        }
    }
}

extension DecodingError {
    /// What is wrong where, without the value itself, in the words of JSON.
    fileprivate func sentence(about arguments: JSON) -> String {
        func path(_ context: Context, _ last: (any CodingKey)? = nil) -> String {
            (["arguments"] + (context.codingPath + (last.map { [$0] } ?? [])).map(\.stringValue)).joined(separator: ".")
        }
        switch self {
        case .keyNotFound(let key, let context): return "\(path(context, key)) is missing."
        case .valueNotFound(_, let context): return "\(path(context)) is null."
        case .typeMismatch(let type, let context): return "\(path(context)) must be \(Self.word(for: type))."
        case .dataCorrupted(let context) where context.codingPath.isEmpty:
            // A number that does not fit is told of as if the text were no JSON, and without its place (Swift 6.3).
            let places = arguments.placesOfOtherNumbers(under: "arguments").prefix(5)
            guard !places.isEmpty else { return "the arguments are not valid." }
            return "\(places.joined(separator: " or ")) must be a whole number."
        case .dataCorrupted(let context): return "\(path(context)) is not valid: \(context.debugDescription)"
        @unknown default: return "the arguments are not valid."
        }
    }

    private static func word(for type: any Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is any BinaryInteger.Type: "a whole number"
        case is any BinaryFloatingPoint.Type: "a number"
        case is [Any].Type: "an array"
        case is [String: Any].Type: "an object"
        default: "of type \(type)"
        }
    }
}

extension JSON {
    /// Where numbers stand that are no whole ones, or larger than those that travel.
    fileprivate func placesOfOtherNumbers(under place: String) -> [String] {
        if let members { return members.flatMap { $0.value.placesOfOtherNumbers(under: "\(place).\($0.key)") } }
        if let elements {
            return elements.enumerated().flatMap { $1.placesOfOtherNumbers(under: "\(place).\($0)") }
        }
        let isNumber = description.first.map { $0 == "-" || $0.isNumber } ?? false
        return isNumber && integer == nil ? [place] : []
    }
}
