import Contract
import FoundationEssentials
import NIOCore
import Testing
import Wire

@testable import Gateway

/// The body of a question: what is wrong with it is said by field.
@Suite struct AskBodyTests {
    @Test(arguments: [
        (#"{}"#, #""question" is missing"#),
        (#"{"reader":"ada"}"#, #""question" is missing"#),
        (#"{"question":null}"#, #""question" is missing"#),
        (#"{"question":7}"#, #""question" has to be a string, not a number."#),
        (#"{"question":["a"]}"#, #""question" has to be a string, not an array."#),
        (#"{"question":"  \n "}"#, #""question" is empty"#),
        (#"{"question":"x","reader":true}"#, #""reader" has to be a string, not a boolean."#),
        (#"{"question":"x","reader":""}"#, #""reader" has 1 to 200 bytes; this one has 0."#),
        (#"{"question":"x","agent":{}}"#, #""agent" has to be a string, not an object."#),
        (#"{"question":"x","agent":""}"#, #""agent" has 1 to 100 bytes, not 0."#),
        (#"{"question":"x","run":"7"}"#, #""run" has to be a UUID of version 7."#),
        (#"{"question":"x","run":"ffffffff-ffff-7fff-bfff-ffffffffffff"}"#, "a time more than a day ahead"),
        (#"{"question":"x","channel":"fax"}"#, #""channel" has to be one of http, terminal, web, slack."#),
        (#"{"question":"x","tries":0}"#, #""tries" has to be a whole number from 1 to 100, not 0."#),
        (#"{"question":"x","tries":"3"}"#, #""tries" has to be a whole number from 1 to 100, not a string."#),
        (
            #"{"question":"x","deadline_ms":1.5}"#,
            #""deadline_ms" has to be a whole number from 1 to 31536000000, not 1.5."#
        ),
        (#"{"question":"x","slack":"C1"}"#, #""slack" has to be like {"channel": "C0123ABCD""#),
        (#"{"question":"x","slack":{"channel":"C1"}}"#, #"The "thread" of a Slack thread is a timestamp"#),
        (#"{"question":"x","slack":{"thread":"1.000001"}}"#, #"The "channel" of a Slack thread is an id"#),
        (#"{"question":"x","slack":{"channel":7}}"#, #""slack.channel" has to be a string, not a number."#),
        (#"{"question":"x","slack":{"chanel":"C1"}}"#, #"There is no field "chanel": a Slack thread has"#),
        (#"{"question":"x","slack":{"channel":"general","thread":"1.000001"}}"#, #"an id such as C0123ABCD"#),
        (#"{"question":"x","slack":{"channel":"C1","thread":"1.1"}}"#, "a timestamp such as"),
        (#"{"quesiton":"x"}"#, #"There is no field "quesiton""#),
        (#"{"question":"a","question":"b"}"#, "The body is not valid JSON: "),
        (#"["question"]"#, "The body has to be a JSON object, not an array."),
        (#""question""#, "The body has to be a JSON object, not a string."),
        (#"{"question":"x"#, "The body is not valid JSON: "),
        (#"{"question":"a\u0000b"}"#, "U+0000"),
        ("", "The body is empty"),
        ("question=x", "The body is not valid JSON: "),
    ])
    func whatIsWrongIsNamed(body: String, sentence: String) {
        #expect(refusal(of: ByteBuffer(string: body)).contains(sentence), "\(refusal(of: ByteBuffer(string: body)))")
    }

    @Test func aRunIsNewUnlessTheCallerNamesIt() throws {
        let start = try AskBody(ByteBuffer(string: #"{"question":"x"}"#)).start()
        #expect(start.isNew == true)
        let named = try AskBody(ByteBuffer(string: #"{"question":"x","run":"\#(RunID.new())"}"#)).start()
        #expect(named.isNew == nil)
    }

    @Test func bytesThatAreNoUTF8AreNamed() {
        let body = ByteBuffer(bytes: Array(#"{"question":""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8))
        #expect(refusal(of: body).contains("UTF-8"), "\(refusal(of: body))")
    }

    @Test func whatIsTooLongIsToldItsLimit() {
        let question = #"{"question":"\#(String(repeating: "é", count: 8_193))"}"#
        #expect(refusal(of: ByteBuffer(string: question)).contains("at most 16384 bytes; this one has 16386"))
        let reader = #"{"question":"x","reader":"\#(String(repeating: "r", count: 201))"}"#
        #expect(refusal(of: ByteBuffer(string: reader)).contains("200 bytes; this one has 201"))
    }

    @Test func whatIsWrongWithAMessageIsNamedByItsOwnFields() {
        for text in ["", "  \n "] {
            #expect {
                try MessageBody(ByteBuffer(string: #"{"text":"\#(text.replacing("\n", with: "\\n"))"}"#)).say(
                    in: ConversationID()
                )
            } throws: {
                ($0 as? ServiceError)?.message.hasPrefix(#""text" is empty"#) == true
            }
        }
    }

    @Test func whatIsLeftOutOrNullHasItsDefault() throws {
        let start = try AskBody(ByteBuffer(string: "{\n\t\"question\": \" How? \",\r\n\"reader\": null }")).start()
        #expect(start.question == Question(text: "How?", channel: .http))
        #expect(start.agent == "documentation")
    }

    @Test func aRunOfAnAgentHasAnInput() throws {
        let body = try AskBody(ByteBuffer(string: #"{"input": "A text.", "reader": "ada"}"#), agent: "triage")
        #expect(try body.start().agent == "triage")
        #expect(try body.start().question == Question(text: "A text.", reader: "ada", channel: .http))
        #expect(
            refusal(of: ByteBuffer(string: #"{"question":"x"}"#), agent: "a").contains(#"There is no field "question""#)
        )
        #expect(refusal(of: ByteBuffer(string: #"{"agent":"x"}"#), agent: "a").contains(#"There is no field "agent""#))
        #expect(refusal(of: ByteBuffer(string: #"{"input":""}"#), agent: "a").contains(#""input" is empty"#))
    }

    @Test func aThreadInSlackGoesAlong() throws {
        let body = #"{"question":"x","slack":{"channel":"D0123ABCD","thread":"1700000000.000100"}}"#
        let start = try AskBody(ByteBuffer(string: body)).start()
        #expect(start.slack == SlackThread(channel: "D0123ABCD", thread: "1700000000.000100"))
        #expect(try AskBody(ByteBuffer(string: #"{"question":"x","slack":null}"#)).start().slack == nil)
    }

    private func refusal(of body: ByteBuffer, agent: String? = nil) -> String {
        do {
            _ = try AskBody(body, agent: agent).start()
            return ""
        } catch {
            return error.code == .invalidArgument ? error.message : "\(error)"
        }
    }
}
