import Testing
import Wire

@testable import Contract

@Suite struct APIKeyTests {
    @Test func aKeyIsReadAsItIsWrittenAndIsAnotherEachTime() throws {
        var seen: Set<String> = []
        for id in [1, 7, 9_007_199_254_740_991] {
            for _ in 0..<200 {
                let secret = APIKey.Secret()
                let key = APIKey(id: id, secret)
                let read = try #require(APIKey(key.text))
                #expect(read.id == id && read.text == key.text)
                #expect(read.digest == secret.digest && read.digest == key.digest)
                #expect(key.text.utf8.count == "octavo_\(id)_".utf8.count + 43)
                #expect(seen.insert(key.digest.hex).inserted)
            }
        }
    }

    @Test func onlyWhatIsWrittenExactlySoIsAKey() {
        let key = APIKey(id: 7, APIKey.Secret()).text
        let wrong = [
            "", "octavo", "octavo_7", "octavo_7_", key + "A", String(key.dropLast()), " " + key, key + "\n",
            key.replacing("octavo_7", with: "octavo_07"), key.replacing("octavo_7", with: "octavo_+7"),
            key.replacing("octavo_7", with: "octavo_0"), key.replacing("octavo_7", with: "octavo_-7"),
            key.replacing("octavo_7", with: "Octavo_7"), key.replacing("octavo_7", with: "octavo_99999999999999999999"),
            "octavo_7_" + String(repeating: "=", count: 43), "octavo_7_" + String(repeating: "é", count: 43),
            // Two bits of the last character would mean nothing.
            "octavo_7_" + String(repeating: "A", count: 42) + "B", "octavo_7_" + String(repeating: "x", count: 100_000),
        ]
        for text in wrong { #expect(APIKey(text) == nil, "\(text.prefix(80))") }
        #expect(APIKey("octavo_7_" + String(repeating: "A", count: 43)) != nil)
    }

    @Test func aKeyThatIsPrintedShowsNoSecret() {
        let key = APIKey(id: 7, APIKey.Secret())
        #expect("\(key)" == "octavo_7_…")
        #expect(key.prefix == "octavo_7")
    }

    /// The first three are examples of FIPS 180; the others are lengths about the ends of a block.
    @Test(arguments: [
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (String(repeating: "a", count: 55), "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"),
        (String(repeating: "a", count: 56), "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"),
        (String(repeating: "a", count: 64), "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"),
        (String(repeating: "a", count: 1_000), "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"),
    ])
    func digestsAreThoseOfTheStandard(message: String, digest: String) {
        let octets = SHA256.digest(message.utf8)
        #expect(octets.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() == digest)
    }

    @Test func digestsThatDifferAnywhereAreNotEqual() throws {
        let zeros = String(repeating: "0", count: 64)
        let digest = try #require(KeyDigest(hex: zeros))
        for place in 0..<64 {
            for digit in ["1", "8", "f"] {
                let text = String(zeros.prefix(place)) + digit + String(zeros.dropFirst(place + 1))
                let other = try #require(KeyDigest(hex: text))
                #expect(other != digest && digest != other && other == other)
            }
        }
    }

    @Test func aDigestTravelsAsHexAndNothingElseIsTaken() throws {
        let digest = APIKey.Secret().digest
        #expect(try JSON(encoding: CheckKey(7, digest: digest)).decode(CheckKey.self).digest == digest)
        #expect(KeyDigest(hex: digest.hex) == digest)
        #expect(KeyDigest(hex: APIKey.Secret().digest.hex) != digest)
        for wrong in ["", "ab", digest.hex.uppercased(), digest.hex + "0", String(repeating: "g", count: 64)] {
            #expect(KeyDigest(hex: wrong) == nil)
        }
    }
}
