import Agents
import FoundationEssentials
import ScriptedProvider
import Testing

/// The page in the documentation shows code that works, because it is the code below.
@Suite(.serialized) struct PageTests {
    @Test func theAgentOfThePageAnswers() async throws {
        let call = ScriptedCall(id: "1", name: "weather", arguments: #"{"city":"Oslo"}"#)
        try await ScriptedProvider.withServer([.calls(call), .says("It is 21 °C."), .says("It is ", "21 °C.")]) {
            provider in
            let url = provider.url
            var printed = ""
            func print(_ text: String, terminator: String = "\n") { printed += text + terminator }

            struct Place: Decodable { let city: String }
            let weather = try Tool("weather", "The temperature in a city, in degrees Celsius.") { (place: Place) in
                "21 in \(place.city)"
            }
            let agent = Agent(
                model: try OpenAIChatModel("qwen3", baseURL: url),
                instructions: "Answer in one sentence.",
                tools: [weather]
            )
            print(try await agent.run("How warm is it in Oslo?").output)

            for try await event in agent.stream("How warm is it in Oslo?") {
                if case .text(let piece) = event { print(piece, terminator: "") }
            }

            #expect(printed == "It is 21 °C.\nIt is 21 °C.")
            #expect(provider.requests[1].body.contains("21 in Oslo"))
        }
    }

    @Test func theCodeOfThePageIsTheCodeAbove() throws {
        let source = try lines(of: #filePath)
        let page = try lines(
            of: #filePath.replacing("Tests/AgentsTests/PageTests.swift", with: "Sources/Agents/Agents.docc/Agents.md")
        )
        var code: [String] = []
        var isCode = false
        for line in page {
            if line.hasPrefix("```") {
                isCode = line == "```swift"
            } else if isCode, !line.hasPrefix("let url = ") {
                code.append(line)
            }
        }
        #expect(code.count >= 12)
        var rest = source[...]
        for line in code {
            let position = rest.firstIndex(of: line)
            #expect(position != nil, "Not in the test, or in another order: \(line)")
            rest = rest[(position ?? rest.startIndex)...].dropFirst()
        }
    }

    private func lines(of path: String) throws -> [String] {
        let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            String(line.drop { $0 == " " })
        }
    }
}
