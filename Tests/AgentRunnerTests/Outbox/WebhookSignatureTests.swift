import Contract
import Testing

@testable import AgentRunner

/// What a message is signed with, and what an answer to it means.
@Suite struct WebhookSignatureTests {
    /// The example of the Standard Webhooks libraries.
    @Test func theSignatureIsThatOfStandardWebhooks() throws {
        let secrets = try WebhookSecrets("ci=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        let signature = secrets.signature(
            for: "ci",
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp: 1_614_265_330,
            body: #"{"test": 2432232314}"#
        )
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        #expect(secrets.signature(for: "other", id: "m", timestamp: 0, body: "") == nil)
    }

    /// RFC 4231, cases 1, 2, 6 and 7.
    @Test(arguments: [
        (
            Array(repeating: UInt8(0x0B), count: 20), "Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            Array(repeating: 0xAA, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
    ])
    func theCodeIsThatOfTheStandard(key: [UInt8], message: String, code: String) {
        let digits = Array("0123456789abcdef")
        let hex = HMAC.sha256(Array(message.utf8), key: key).map { "\(digits[Int($0 >> 4)])\(digits[Int($0 & 15)])" }
        #expect(hex.joined() == code)
    }

    @Test func aNameWithTwoSecretsSignsTwice() throws {
        let (one, two) = (String(repeating: "QUFB", count: 8), String(repeating: "QkJC", count: 8))
        let secrets = try WebhookSecrets("a=whsec_\(one)\nb=whsec_\(two) a=whsec_\(two)\n")
        let both = try #require(secrets.signature(for: "a", id: "m", timestamp: 1, body: "x"))
        let single = try #require(secrets.signature(for: "b", id: "m", timestamp: 1, body: "x"))
        #expect(both.split(separator: " ").count == 2 && both.hasSuffix(single))
    }

    @Test(arguments: ["a", "a=", "a=secret", "a=whsec_", "a=whsec_QUFB", "a=whsec_!!", "=whsec_QUFB"])
    func aSecretThatIsNoneIsRefusedWithoutItsWords(text: String) throws {
        let error = #expect(throws: WebhookSecrets.Refusal.self) { try WebhookSecrets("b=\(text) " + text) }
        #expect(error?.description.contains("QUFB") == false)
    }

    @Test(
        arguments: [
            (200, nil, SettleMessage.Verdict.sent, nil), (204, nil, .sent, nil), (301, nil, .failed, nil),
            (400, nil, .failed, nil),
            (410, nil, .gone, nil), (429, "30", .failed, 30), (503, "5", .failed, 5), (429, "soon", .failed, nil),
            (429, "-5", .failed, 0), (500, "30", .failed, nil), (502, nil, .unknown, nil), (504, nil, .unknown, nil),
        ] as [(Int, String?, SettleMessage.Verdict, Int?)]
    )
    func anAnswerIsTakenForWhatItSays(status: Int, after: String?, verdict: SettleMessage.Verdict, seconds: Int?) {
        let found = Verdict(status: status, retryAfter: after)
        #expect(found.verdict == verdict && found.status == status && found.afterSeconds == seconds)
        #expect((found.error == nil) == (verdict == .sent))
    }
}
