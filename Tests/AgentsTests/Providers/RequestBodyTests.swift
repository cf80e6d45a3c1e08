import ScriptedProvider
import Testing

@testable import Agents

/// What is sent, to the letter: providers know a repeated beginning by its bytes.
@Suite(.serialized) struct RequestBodyTests {
    private static let request = ModelRequest(
        messages: [
            .system("Be brief."), .user("?"),
            .assistant(
                text: "",
                toolCalls: [ToolCall(id: "1", name: "now", arguments: #"{"a":1}"#)],
                thinking: [
                    Thinking("Hm.", seal: .init(format: "anthropic", data: "sig")),
                    Thinking("", seal: .init(format: "openai-responses", id: "rs_1", data: "enc")),
                ]
            ), .tool(ToolResult(callID: "1", name: "now", content: "noon", isError: true)), .user("!"),
        ],
        tools: [
            ToolDefinition(
                name: "now",
                description: "The time.",
                parameters: JSONValue.wrapped(["a": ["type": "integer"]])
            )
        ],
        toolChoice: .required,
        options: ModelOptions(temperature: 0.5, maxTokens: 7, stop: ["END"], parallelToolCalls: false)
    )
    private static let parameters =
        #"{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"],"additionalProperties":false}"#

    @Test func aResponsesRequest() {
        let body = ResponsesRequestBody.json(
            Self.request,
            model: "m",
            capabilities: ModelCapabilities(thinking: .effort),
            streams: true
        )
        #expect(
            body.text
                == #"{"model":"m","tools":[{"type":"function","name":"now","description":"The time.","#
                + #""parameters":\#(Self.parameters),"strict":true}],"tool_choice":"required","parallel_tool_calls":false,"#
                + #""input":[{"role":"system","content":"Be brief."},{"role":"user","content":"?"},"#
                + #"{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"enc"},"#
                + #"{"type":"function_call","call_id":"1","name":"now","arguments":"{\"a\":1}"},"#
                + #"{"type":"function_call_output","call_id":"1","output":"noon"},{"role":"user","content":"!"}],"#
                + #""store":false,"stream":true,"temperature":0.5,"max_output_tokens":7,"#
                + #""include":["reasoning.encrypted_content"]}"#
        )
    }

    @Test func aMessagesRequest() {
        let body = MessagesRequestBody.json(Self.request, model: "m", capabilities: ModelCapabilities(), streams: true)
        let mark = #""cache_control":{"type":"ephemeral"}"#
        #expect(
            body.text
                == #"{"model":"m","max_tokens":7,"tools":[{"name":"now","description":"The time.","#
                + #""input_schema":\#(Self.parameters),\#(mark)}],"#
                + #""tool_choice":{"type":"any","disable_parallel_tool_use":true},"#
                + #""system":[{"type":"text","text":"Be brief.",\#(mark)}],"messages":["#
                + #"{"role":"user","content":[{"type":"text","text":"?"}]},"#
                + #"{"role":"assistant","content":[{"type":"thinking","thinking":"Hm.","signature":"sig"},"#
                + #"{"type":"tool_use","id":"1","name":"now","input":{"a":1}}]},"#
                + #"{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":"noon","is_error":true},"#
                + #"{"type":"text","text":"!",\#(mark)}]}],"stream":true,"temperature":0.5,"stop_sequences":["END"]}"#
        )
    }

    @Test func whatAModelDoesNotTakeIsNotSent() {
        var request = Self.request
        request.options.seed = 1
        request.options.promptCache = false
        let capabilities = ModelCapabilities(requiredTools: false, parallelToolCalls: false, sampling: false)
        let chat = ChatRequestBody.json(request, model: "m", capabilities: capabilities, streams: false).text
        for word in ["temperature", "tool_choice", "parallel_tool_calls", "stream", "reasoning"] {
            #expect(!chat.contains("\"\(word)"))
        }
        #expect(chat.contains(#""seed":1"#))
        let messages = MessagesRequestBody.json(request, model: "m", capabilities: capabilities, streams: false).text
        for word in ["temperature", "any", "stream", "cache_control", "seed"] {
            #expect(!messages.contains("\"\(word)\""))
        }
    }

    @Test func thinkingIsAskedForAsTheModelTakesIt() {
        func chat(_ effort: ThinkingEffort, _ control: ModelCapabilities.ThinkingControl) -> JSONValue {
            ChatRequestBody.json(
                ModelRequest(messages: [], options: ModelOptions(thinking: effort)),
                model: "m",
                capabilities: ModelCapabilities(thinking: control, leastEffort: "none"),
                streams: true
            )
        }
        #expect(chat(.high, .effort)["reasoning_effort"] == "high")
        #expect(chat(.off, .effort)["reasoning_effort"] == "none")
        #expect(chat(.high, .none)["reasoning_effort"] == nil)
        func messages(_ effort: ThinkingEffort, _ control: ModelCapabilities.ThinkingControl) -> JSONValue {
            MessagesRequestBody.json(
                ModelRequest(
                    messages: [],
                    tools: Self.request.tools,
                    toolChoice: .required,
                    options: ModelOptions(temperature: 1, maxTokens: 100, thinking: effort)
                ),
                model: "m",
                capabilities: ModelCapabilities(thinking: control),
                streams: true
            )
        }
        let budget = messages(.low, .budget)
        #expect(budget["thinking"] == ["type": "enabled", "budget_tokens": 2048])
        // The budget counts as output, and who thinks can be neither heated nor forced.
        #expect(budget["max_tokens"] == 2148 && budget["temperature"] == nil && budget["tool_choice"] == nil)
        #expect(messages(.high, .adaptive)["output_config"] == ["effort": "high"])
        #expect(messages(.off, .adaptive)["thinking"] == nil)
    }

    @Test func aSchemaIsSentWhereTheProviderTakesItAndStrictWhereItCan() throws {
        func format(_ schema: JSONValue, _ capabilities: ModelCapabilities = ModelCapabilities()) -> JSONValue? {
            let request = ModelRequest(messages: [], format: .schema(name: "answer", schema))
            return ChatRequestBody.json(request, model: "m", capabilities: capabilities, streams: true)[
                "response_format"
            ]
        }
        let schema = try JSONSchema(of: OutputTests.Weather.self).json
        #expect(format(schema.strict)?["json_schema"]?["strict"] == true)
        #expect(format(schema)?["json_schema"]?["strict"] == false)
        #expect(format(schema, ModelCapabilities(nativeSchema: false)) == ["type": "json_object"])
        #expect(format(schema, ModelCapabilities(nativeSchema: false, json: false)) == nil)
        #expect(schema.strict["properties"]?["wind"] == ["anyOf": [["type": "string"], ["type": "null"]]])
    }

    @Test func boundsAProviderRefusesAreLeftToTheCheck() {
        let bounded = JSONValue.wrapped([
            "maximum": ["type": "integer", "maximum": 3], "n": ["type": "string", "maxLength": 2],
        ])
        let request = ModelRequest(messages: [], format: .schema(name: "answer", bounded))
        let body = MessagesRequestBody.json(request, model: "m", capabilities: ModelCapabilities(), streams: true)
        let sent = body["output_config"]?["format"]?["schema"]
        #expect(sent == .wrapped(["maximum": ["type": "integer"], "n": ["type": "string"]]))
    }
}
