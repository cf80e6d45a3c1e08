import FoundationEssentials

extension JSONValue {
    /// Reads JSON text; nil for anything else.
    public init?(text: String) {
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) else { return nil }
        self = value
    }

    /// The JSON in what a model said: all of it, or what stands between the first `{` and the last `}`, for models put it into
    /// a fence and say something before it.
    init?(in said: String) {
        if let value = JSONValue(text: said) {
            self = value
            return
        }
        guard let first = said.firstIndex(of: "{"), let last = said.lastIndex(of: "}"), first < last,
            let value = JSONValue(text: String(said[first...last]))
        else { return nil }
        self = value
    }

    /// The value as a type of yours; dates are ISO 8601.
    public func decoded<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder.ofTools.decode(type, from: Data(text.utf8))
    }
}

extension JSONDecoder {
    /// Dates as the schema asks for them.
    static var ofTools: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return decoder
    }
}

extension JSONEncoder {
    static var ofTools: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
