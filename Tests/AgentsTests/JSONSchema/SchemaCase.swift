import Agents
import FoundationEssentials
import Testing

/// Values that a schema takes, and values that it refuses, all as JSON.
struct SchemaCase: Sendable {
    let schema: String
    let takes: [String]
    let refuses: [String]

    init(_ schema: String, takes: [String] = [], refuses: [String] = []) {
        self.schema = schema
        self.takes = takes
        self.refuses = refuses
    }

    func check() throws {
        let validator = try SchemaValidator(try JSONValue(json: schema))
        for text in takes {
            let violations = validator.validate(try JSONValue(json: text))
            #expect(violations.isEmpty, "\(schema) with \(text): \(violations)")
        }
        for text in refuses {
            #expect(!validator.validate(try JSONValue(json: text)).isEmpty, "\(schema) with \(text)")
        }
    }
}

extension JSONValue {
    init(json: String) throws {
        self = try JSONDecoder().decode(JSONValue.self, from: Data(json.utf8))
    }
}
