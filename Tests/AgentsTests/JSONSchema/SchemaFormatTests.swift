import Agents
import Testing

@Suite struct SchemaFormatTests {
    private static let formats: [(name: String, takes: [String], refuses: [String])] = [
        (
            "date-time",
            [
                "1963-06-19T08:30:06.283185Z", "1963-06-19t08:30:06z", "1990-12-31T15:59:60-08:00",
                "1937-01-01T12:00:27.87+00:20",
            ],
            [
                "1990-02-31T15:59:59-08:00", "1998-12-31T23:59:61Z", "1998-12-31T22:59:60Z", "06/19/1963 08:30:06",
                "2013-350T01:01:01", "1963-06-19T08:30:06",
            ]
        ),
        (
            "date", ["2020-01-31", "2020-02-29", "2000-02-29"],
            ["2021-02-29", "1900-02-29", "2020-13-01", "1998-1-20", "2020-11-31", "1963-06-1৪"]
        ),
        (
            "time", ["08:30:06Z", "23:59:60+00:00", "01:29:60+01:30", "12:00:00.52Z"],
            ["24:00:00Z", "08:30:06", "08:30:06.Z", "22:59:60Z", "12:00:00+24:00"]
        ),
        (
            "duration", ["P4DT12H30M5S", "P1Y2M", "PT1M", "P2W", "P0D"],
            ["P", "PT", "P1YT", "P1D2H", "P2S", "P1Y2W", "P1Y2D", "4D", "P٢Y"]
        ),
        (
            "email",
            [
                "joe.bloggs@example.com", "te~st@example.com", #""joe bloggs"@example.com"#, "a@[127.0.0.1]",
                "a@[IPv6:::1]",
            ], ["2962", ".a@b.c", "a.@b.c", "a..b@c.d", "a@-b.c", "joe bloggs@example.com", "a@[127.0.0.300]"]
        ),
        (
            "hostname", ["www.example.com", "xn--4gbwdl.xn--wgbh1c", "1host", "a"],
            ["-bad", "bad-", "a_b", "a..b", "", "ab--cd", "xn--", "é.com"]
        ),
        (
            "ipv4", ["192.168.0.1", "0.0.0.0"],
            ["127.0.0", "256.1.1.1", "087.10.0.1", "0x7f000001", "1.2.3.4.5", "127.0.0.1/8", "1২7.0.0.1"]
        ),
        (
            "ipv6",
            [
                "::1", "::", "1::", "::abef", "1:2:3:4:5:6:7:8", "1:2::8", "::ffff:192.168.0.1", "1:2:3:4:5:6:7::",
                "::2:3:4:5:6:7:8",
            ],
            [
                "12345::", ":2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1::d6::42", "1:2:3:4:5:6:7:8:9", ":::", "fe80::a%eth1",
                "1:2:3:4:1.2.3", "::laptop", "1:2:3:4::5:6:7:8",
            ]
        ),
        (
            "uuid", ["2EB8AA08-aa98-11ea-b4aa-73b441d16380"],
            [
                "2eb8aa08-aa98-11ea-b4aa-73b441d1638", "2eb8aa08aa9811eab4aa73b441d16380",
                "2eb8-aa08-aa98-11ea-b4aa73b44-1d16380",
            ]
        ),
        (
            "uri",
            [
                "http://foo.bar/?baz=qux#quux", "urn:oasis:names", "http://[::1]:80/", "mailto:a@b.c",
                "ftp://u:p@h:21/x%20y",
            ],
            [
                "//foo.bar", "/abc", "http:// no.uri", "1http://a", "http://a:b/", "http://a/<>", "http://a/%zz",
                "http://[x]/", "abc",
            ]
        ),
    ]

    @Test func everyFormatTakesWhatIsOneAndRefusesWhatIsNot() throws {
        #expect(Set(Self.formats.map(\.name)) == Set(SchemaValidator.formats))
        for format in Self.formats {
            let validator = try SchemaValidator(["format": .string(format.name)])
            for text in format.takes { #expect(validator.validate(.string(text)).isEmpty, "\(format.name): \(text)") }
            for text in format.refuses {
                #expect(!validator.validate(.string(text)).isEmpty, "\(format.name): \(text)")
            }
            #expect(validator.validate(12).isEmpty, "a format is about strings")
        }
    }
}
