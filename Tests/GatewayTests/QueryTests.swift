import Testing

@testable import Gateway

/// What stands behind the question mark of a request.
@Suite struct QueryTests {
    @Test(arguments: ["q=%zz", "q=%2", "q=%", "q=%+1", "q=%00", "q=%ff", "%c3=1", "q=%ed%a0%80"])
    func whatIsNoTextIsToldApart(query: String) {
        #expect(!Query.isText(query))
    }

    @Test(arguments: ["", "q=a+b&limit=1", "q=50%25", "q=%C3%bc", "q=%F0%9F%94%A5", "q=ü"])
    func textIsTaken(query: String) {
        #expect(Query.isText(query))
    }
}
