import Contract
import Testing
import Wire

@Suite struct RunBatchTests {
    @Test func theArgumentsOfItsOperationsStayAsTheyAreWritten() throws {
        let arguments = try JSON(validating: #"{"text":"é","number":12345678901234567890.10}"#)
        let batch = RunBatch([.init(call: "one", arguments: arguments), .init(call: "two", arguments: .emptyObject)])
        let text = try batch.encoded()
        #expect(
            text.description
                == #"{"operations":[{"arguments":\#(arguments),"call":"one"},{"arguments":{},"call":"two"}]}"#
        )
        #expect(try RunBatch(decoding: text).operations == batch.operations)
    }

    @Test func operationsWithoutArgumentsHaveNone() throws {
        let batch = try RunBatch(decoding: JSON(validating: #"{"operations":[{"call":"one"}]}"#))
        #expect(batch.operations == [.init(call: "one", arguments: .emptyObject)])
    }

    @Test(arguments: ["{}", #"{"operations":{}}"#, #"{"operations":[1]}"#, #"{"operations":[{"call":1}]}"#])
    func whatIsNoListOfOperationsIsRefused(_ arguments: String) throws {
        let arguments = try JSON(validating: arguments)
        #expect(throws: DecodingError.self) { try RunBatch(decoding: arguments) }
    }
}
