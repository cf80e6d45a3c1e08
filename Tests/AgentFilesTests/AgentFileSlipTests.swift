import FoundationEssentials
import Testing

@testable import AgentFiles

/// The slips of whoever writes a file: each is told once, at its place, in words that say what to do.
@Suite struct AgentFileSlipTests {
    private func problems(_ text: String) -> [String] {
        do {
            _ = try AgentFile(text, name: "triage", file: "f")
            return []
        } catch {
            return "\(error)".split(separator: "\n").map(String.init)
        }
    }

    @Test(arguments: [
        ("instuctions: Hi", #"f:1:1: there is no "instuctions": did you mean "instructions"?"#),
        ("instructions: a\nmodle: x", #"f:2:1: there is no "modle": did you mean "model"?"#),
        ("together: {agents: [a], onfailure: stop}", #"f:1:25: there is no "onfailure": did you mean "on_failure"?"#),
        ("together: {agents: [a], colour: red}", #"f:1:25: there is no "colour"; there are agents, on_failure"#),
        (
            "description: x",
            "f:1:1: it does not say what the agent does: instructions, classify, summarise or together"
        ),
        (
            "instructions: a\nclassify: {categories: {a: b, c: d}}",
            "f:2:1: classify and instructions exclude each other: an agent does one of them"
        ),
        ("tools: [search]\nsummarise: {}", "f:1:1: tools goes with instructions only, not with summarise"),
        ("- a", "f:1:1: the agent is written as names with their values, not as a list"),
        ("limits: [1]\ninstructions: a", "f:1:1: must be names with their values, not a list"),
        ("instructions: a\ntools: search", "f:2:1: must be a list, not a text"),
        (
            "instructions: Say: Hi",
            "f:1:18: this is not YAML: text with a colon and a space in it stands in quotes, or below its name after a |"
        ),
        ("instructions: \"a", "f:1:17: this is not YAML: a quotation mark is not closed"),
        ("instructions: a\n---\na: b", "f:2:1: this is not YAML: a second document begins here"),
        ("instructions: {{date}}", "f:1:1: a name has to be text; text that begins with a brace stands in quotes"),
        (
            "instructions: a\ntools:\n  - search\n  - serch",
            #"f:4:5: there is no tool "serch": did you mean "search"? There are search, read, list, fetch, agent:NAME and "#
                + "mcp:SERVER/TOOL"
        ),
        (
            "instructions: a\ntools: [\"agent:triage\"]", "f:2:9: an agent cannot ask itself"
        ),
        (
            "instructions: a\ntools: [fetch]\nfetch: {hosts: [localhost]}",
            #"f:3:17: "localhost" is no host of the internet: one is written docs.example.com, or *.example.com for all below it"#
        ),
        (
            "instructions: a\ntools: [fetch]\nfetch: {hosts: [a.example, 127.0.0.1]}",
            #"f:3:28: "127.0.0.1" is an address: pages are fetched from hosts of the internet, by their names"#
        ),
        (
            "instructions: a\nvariables: {Team: x}",
            #"f:2:13: "Team" is no variable's name: small letters, digits and _, no digit first"#
        ),
        ("instructions: a\nmcp: {x: {}}\ntools: [mcp:x/y]", "f:2:7: say how it is reached: by a command, or a url"),
        (
            "instructions: a\nmcp: {x: {command: [/x], url: \"http://x\"}}\ntools: [mcp:x/y]",
            "f:2:26: command and url exclude each other"
        ),
        ("instructions: a\nlimits: {tokens: 1e400}", "f:2:10: the number 1e400 is too large"),
        ("instructions: a\nlimits: {dollars: 1e300}", "f:2:10: must be at most 1000000, not 1e+300"),
        ("model: x\ninstructions: a\nmodel: y", #"f:3:1: the name "model" stands twice in one place"#),
        (
            "limits: {tokens: 1, seconds: 2, tokens: 3}\ninstructions: a",
            #"f:1:33: the name "tokens" stands twice in one place"#
        ),
        (
            "classify:\n  categories:\n    model: a\n    \"model\": b\nmodel: x",
            #"f:4:6: the name "model" stands twice in one place"#
        ),
    ])
    func aSlipIsToldOnceAtItsPlace(_ text: String, _ expected: String) {
        #expect(problems(text) == [expected])
    }

    @Test func variablesAreToldWithTheirColumnsAllOfThem() {
        let form = "a variable is written {{name}}, its name in small letters, digits and _, without spaces"
        let text =
            "instructions: |\n  For {{tema}}, {{date}}.\n\n  {{Team}} {{ my team }} {{data}} {{1}} {{ reader }}\n  {{date"
        #expect(
            problems(text) == [
                #"f:2:7: there is no variable "tema"; there are channel, date, reader"#,
                #"f:4:3: "{{Team}}" is no variable: \#(form)"#, #"f:4:12: "{{ my team }}" is no variable: \#(form)"#,
                #"f:4:26: there is no variable "data": did you mean "date"?"#,
                #"f:5:3: "{{date" is not closed: \#(form)"#,
            ]
        )
        // However the text is folded.
        #expect(problems("instructions: >\n  a\n  b {{x}}\n").first?.hasPrefix("f:3:5: ") == true)
        #expect(problems("instructions: 'a\n  b {{x}}'\n").first?.hasPrefix("f:2:5: ") == true)
    }

    @Test func aMarkOfTheEncodingIsNoPartOfTheFile() {
        #expect(problems("\u{FEFF}instructions: Hi") == [])
    }

    @Test func whyAFileCannotBeReadIsTold() throws {
        func reason(_ path: String) -> String {
            do {
                _ = try AgentFolder.agent(at: path)
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(reason("/nowhere/a.yaml") == "/nowhere/a.yaml: there is no such file")
        #expect(reason("/usr") == "/usr: this is a folder: name its files, /usr/*.yaml")
        let latin = FileManager.default.temporaryDirectory.path + "/octavo-latin-\(UUID()).yaml"
        try Data([0x69, 0xFC]).write(to: URL(filePath: latin))
        defer { try? FileManager.default.removeItem(atPath: latin) }
        #expect(reason(latin) == "\(latin): the file is not UTF-8")
    }

    @Test func anEmptyNameThatStandsTwiceIsToldWhereItStandsFirst() {
        let text = "instructions: a\nvariables: {\"\": x, \"\": y}"
        #expect(problems(text) == [#"f:2:13: the name "" stands twice in one place"#])
    }

    /// Each of them would take hours if it were looked through anew for each place.
    @Test func slipsInLongFilesAreFoundInOneWayThroughThem() {
        let letters = String(repeating: "a", count: 250 << 10)
        #expect(problems("a: 1\nb: \"\(letters)\"\na: 2") == [#"f:3:1: the name "a" stands twice in one place"#])
        let marks = String(repeating: "'\"", count: 120 << 10)
        #expect(problems("\"'\": 1\nb: |\n  \(marks)\n\"'\": 2").count == 1)
        // As long as instructions may be.
        let variables = problems("instructions: \"\(String(repeating: "{{x}}", count: 20_000))\"")
        #expect(variables.count == 20_000 && variables.last?.hasPrefix("f:1:\(16 + 19_999 * 5): ") == true)
        #expect(problems("instructions: \"\(String(repeating: "{{", count: 50_000))\"") == [])
    }
}
