import Agents
import FoundationEssentials
import Glibc

/// Puts the JSON Schema project's own test suite to ``SchemaValidator``: `suite.py` beside this file fetches it.
///
/// A group whose schema the validator refuses is counted as refused, and the reason told: refusing is honest, a wrong
/// verdict is not. Ends with 1 when there is a wrong verdict.
@main struct Suite {
    /// One schema and what it is to say about some values.
    struct Group: Decodable {
        let description: String
        let schema: JSONValue
        let tests: [Case]
    }

    struct Case: Decodable {
        let description: String
        let data: JSONValue
        let valid: Bool
    }

    var groups = 0
    var right = 0
    var wrong: [String] = []
    var refused: [String] = []

    static func main() throws {
        guard let folder = CommandLine.arguments.dropFirst().first else {
            fatalError("usage: octavo-schema-suite FOLDER")
        }
        // format.json wants formats to say nothing; here they are asserted, for which optional/format has the cases.
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder)
            .filter { $0.hasSuffix(".json") && $0 != "format.json" }.sorted()
        var suite = Suite()
        for file in files { try suite.run(file, in: folder) }
        for line in suite.refused { print("refused  \(line)") }
        for line in suite.wrong { print("WRONG    \(line)") }
        print(
            "\(files.count) files, \(suite.groups) schemas: \(suite.groups - suite.refused.count) read, "
                + "\(suite.refused.count) refused; \(suite.right) values judged rightly, \(suite.wrong.count) wrongly"
        )
        if !suite.wrong.isEmpty { exit(1) }
    }

    private mutating func run(_ file: String, in folder: String) throws {
        guard let data = FileManager.default.contents(atPath: folder + "/" + file) else { return }
        for group in try JSONDecoder().decode([Group].self, from: data) {
            groups += 1
            do {
                let validator = try SchemaValidator(group.schema)
                for test in group.tests {
                    let violations = validator.validate(test.data)
                    if violations.isEmpty == test.valid {
                        right += 1
                    } else {
                        wrong.append("\(file): \(group.description): \(test.description) \(violations)")
                    }
                }
            } catch {
                refused.append("\(file): \(group.description): \(error)")
            }
        }
    }
}
