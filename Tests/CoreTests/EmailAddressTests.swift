import Core
import Testing

@Suite("E-mail addresses")
struct EmailAddressTests {
    @Test(
        "International domains become ASCII without transitional mapping",
        arguments: [
            ("a@bücher.example", "xn--bcher-kva.example"),
            ("a@BÜCHER.Example", "xn--bcher-kva.example"),
            ("a@bu\u{308}cher.example", "xn--bcher-kva.example"),
            ("a@faß.de", "xn--fa-hia.de"),
            ("a@例え.jp", "xn--r8jz45g.jp"),
            ("a@例え。jp", "xn--r8jz45g.jp"),
            ("a@Example.COM", "example.com"),
        ])
    func internationalDomains(text: String, ascii: String) throws {
        #expect(try EmailAddress(parsing: text).asciiDomain == ascii)
    }

    @Test(
        "A masked address keeps its first letter and its domain",
        arguments: [
            ("ana@example.com", "a•••@example.com"), ("a@example.com", "a•••@example.com"),
            ("\"x@y\"@example.com", "\"•••@example.com"), ("é́lan@bücher.example", "é́•••@bücher.example"),
            ("nobody", "•••"),
        ])
    func masked(address: String, shown: String) {
        #expect(EmailAddress.masked(address) == shown)
    }

    @Test("The address stays as typed, the key is one spelling for all")
    func key() throws {
        let address = try EmailAddress(parsing: "  Zoë.O'Neil+News@Bücher.Example\n")
        #expect(address.description == "Zoë.O'Neil+News@Bücher.Example")
        #expect(address.key == "zoë.o'neil+news@xn--bcher-kva.example")
        #expect(address.wireForm == "Zoë.O'Neil+News@xn--bcher-kva.example")
        #expect(address.needsSMTPUTF8)
        #expect(try EmailAddress(parsing: "ANA@example.com") == EmailAddress(parsing: "ana@EXAMPLE.com"))
        #expect(try EmailAddress(parsing: "\"ana\"@example.com") == EmailAddress(parsing: "ana@example.com"))
        #expect(try EmailAddress(parsing: "zoe\u{308}@a.example") == EmailAddress(parsing: "zoë@a.example"))
    }

    @Test(
        "Valid though unusual",
        arguments: [
            "a@b.co", "!#$%&'*+-/=?^_`{|}~@example.com", "\"a@b\"@example.com", "\"a\\\"b\"@example.com",
            "x@1and1.com", "用户@例え.jp", "a@sub.sub2.example.museum", "a@xn--bcher-kva.example", "a@b.c-d.ef",
        ])
    func valid(text: String) throws {
        let address = try EmailAddress(parsing: text)
        #expect(address.description == text)
    }

    @Test(
        "Flaws are named",
        arguments: [
            ("", EmailAddress.Flaw.empty), ("   ", .empty), ("ana", .missingAt), ("@example.com", .emptyLocalPart),
            ("ana@", .emptyDomain), ("ana@@example.com", .severalAts), ("a b@example.com", .space),
            ("ana@exam ple.com", .space), (".ana@example.com", .dotPlacement), ("ana.@example.com", .dotPlacement),
            ("a..b@example.com", .dotPlacement), ("ana@localhost", .domainWithoutDot),
            ("ana@example..com", .domainDotPlacement), ("ana@.example.com", .domainDotPlacement),
            ("ana@example.com.", .domainDotPlacement), ("ana@-example.com", .domainHyphen),
            ("ana@example-.com", .domainHyphen), ("ana@exam_ple.com", .domainCharacter),
            ("ana@[192.0.2.1]", .addressLiteral), ("ana@192.0.2.1", .numericTopLevel),
            ("Ana <ana@example.com>", .space), ("<ana@example.com", .forbiddenCharacter),
            ("ana@example.com>", .domainCharacter), ("a\r\nBcc:x@example.com", .forbiddenCharacter),
            ("\"a b\"@example.com", .space), ("\"a@example.com", .quoting), ("a\u{0}@example.com", .forbiddenCharacter),
            ("a\u{200B}@example.com", .forbiddenCharacter), ("a\u{A0}b@example.com", .space),
            ("a@ex\u{200D}ample.com", .domainName), ("a@-ä.de", .domainName),
            ("ana,bo@example.com", .forbiddenCharacter),
        ])
    func flaws(text: String, flaw: EmailAddress.Flaw) {
        #expect(throws: flaw) { try EmailAddress(parsing: text) }
    }

    @Test("At most 64 octets before the @, 63 in a label, 254 in all")
    func lengths() throws {
        let local = String(repeating: "a", count: 64)
        let label = String(repeating: "b", count: 63)
        let fits = "\(local)@\(label).\(label).\(String(repeating: "c", count: 57)).com"
        #expect(fits.utf8.count == 254)
        #expect(try EmailAddress(parsing: fits).key == fits)
        #expect(throws: EmailAddress.Flaw.tooLong) { try EmailAddress(parsing: fits + "m") }
        #expect(throws: EmailAddress.Flaw.localPartTooLong) { try EmailAddress(parsing: "a\(local)@example.com") }
        #expect(throws: EmailAddress.Flaw.domainLabelTooLong) { try EmailAddress(parsing: "a@b\(label).com") }
    }

    @Test("The importer's quick check agrees with the parser wherever it says yes")
    func plainKey() throws {
        let plain = ["Ana.Maria+1@Example.COM", "a@b.co", "o'neil_x@sub.example.museum", "1@2.de"]
        for text in plain {
            var key: [UInt8] = [1]
            let found = Array(text.utf8).withUnsafeBufferPointer { EmailSyntax.appendPlainKey(of: $0, to: &key) }
            #expect(found, "\(text)")
            #expect(String(decoding: key.dropFirst(), as: UTF8.self) == (try EmailAddress(parsing: text).key))
        }
        let others = [
            "", "a@b", "a@b.", "@b.co", "a@@b.co", ".a@b.co", "a.@b.co", "a..b@c.co", "a@b..co", "a@.b.co", "a@-b.co",
            "a@b-.co", "a@b.c-", "a@b.1", "zoë@b.co", "a@xn--bcher-kva.example", "\"a\"@b.co", "a b@c.co",
            "\(String(repeating: "a", count: 65))@b.co", "a@\(String(repeating: "b", count: 64)).co",
        ]
        for text in others {
            var key: [UInt8] = [1]
            let found = Array(text.utf8).withUnsafeBufferPointer { EmailSyntax.appendPlainKey(of: $0, to: &key) }
            #expect(!found && key == [1], "\(text)")
        }
    }

    @Test("Every flaw has a sentence")
    func messages() {
        for flaw in EmailAddress.Flaw.allCases { #expect(flaw.message.hasSuffix(".")) }
    }
}
