import Core
import Testing

@Suite("Phone numbers")
struct PhoneNumberTests {
    @Test(
        "Numbers as people write them become E.164",
        arguments: [
            ("(415) 555-2671", "US", "+14155552671"), ("1-415-555-2671", "US", "+14155552671"),
            ("tel:+1-415-555-2671", "US", "+14155552671"), ("011 44 20 7946 0958", "US", "+442079460958"),
            ("00 44 20 7946 0958", "DE", "+442079460958"), ("020 7946 0958", "GB", "+442079460958"),
            ("+44 (0)20 7946 0958", "GB", "+442079460958"), ("07911 123456", "GB", "+447911123456"),
            ("02 1234 5678", "IT", "+390212345678"), ("347 123 4567", "IT", "+393471234567"),
            ("0171 1234567", "DE", "+491711234567"), ("06 12 34 56 78", "FR", "+33612345678"),
            ("0412 345 678", "AU", "+61412345678"), ("11 91234-5678", "BR", "+5511912345678"),
            ("080 1234 5678", "JP", "+818012345678"), ("+54 9 11 2345-6789", nil, "+5491123456789"),
            ("8 912 345-67-89", "RU", "+79123456789"), ("٠٩١٢٣٤٥٦٧٨٩", "IR", "+989123456789"),
            ("1-800-FLOWERS", "US", "+18003569377"), ("+1 204 234 5678", nil, "+12042345678"),
            ("0044 20 7946 0958", nil, "+442079460958"), ("+49 (0) 171 / 123 45 67", nil, "+491711234567"),
            ("\u{FF0B}33 6\u{A0}12\u{2013}34.56.78", nil, "+33612345678"),
            ("  +353 87 123 4567 ", "us", "+353871234567"),
        ] as [(String, String?, String)])
    func parsing(text: String, region: String?, e164: String) throws {
        #expect(try PhoneNumber(parsing: text, defaultRegion: region).e164 == e164)
    }

    @Test(
        "Numbers that cannot be are refused",
        arguments: [
            ("001 44 20 7946 0958", "US", PhoneNumber.Flaw.tooLong), ("+52 1 55 1234 5678", nil, .tooLong),
            ("555-2671", "US", .tooShort), ("911", "US", .tooShort), ("+999123456789", nil, .unknownCountry),
            ("12345678901234567", "US", .tooLong), ("020 7946 0958", nil, .noCountry), ("", nil, .empty),
            ("n/a", "US", .forbiddenCharacter), ("+1 115 555 2671", nil, .impossible), ("+", nil, .empty),
            ("+44+20 7946 0958", nil, .forbiddenCharacter), ("+1 415 555 2671\u{0}", nil, .forbiddenCharacter),
            ("+44 20", nil, .tooShort), ("ana@example.com", "US", .forbiddenCharacter),
        ] as [(String, String?, PhoneNumber.Flaw)])
    func refused(text: String, region: String?, flaw: PhoneNumber.Flaw) {
        #expect(throws: flaw) { try PhoneNumber(parsing: text, defaultRegion: region) }
    }

    @Test("An extension is kept apart", arguments: ["415.555.2671 ext. 89", "415-555-2671 x89", "+14155552671;ext=89"])
    func extensions(text: String) throws {
        let number = try PhoneNumber(parsing: text, defaultRegion: "US")
        #expect(number.e164 == "+14155552671")
        #expect(number.extensionDigits == "89")
        #expect(number.masked == "+1•••2671")
    }
}
