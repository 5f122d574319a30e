import Core
import FoundationEssentials
import Testing

@testable import Mail

@Suite("Messages for many")
struct MessageTemplateTests {
    static let date = MailDate(Date(timeIntervalSince1970: 1_768_469_400))

    private func template(
        subject: [MessagePiece] = ["For ", .slot(0)], html: [MessagePiece] = ["<p>Hi ", .slot(0), "</p>"],
        headers: [MailHeader] = []
    ) throws -> MessageTemplate {
        try MessageTemplate(
            from: MailAddress(name: "Acme", address: EmailAddress(parsing: "news@acme.example")), subject: subject,
            headers: headers, text: ["Hi ", .slot(0), "\n"], html: html, randomness: MessageTests.randomness)
    }

    private func render(_ template: MessageTemplate, _ values: [String], name: String = "") throws -> String {
        var filled = MessageValues()
        for value in values { filled.append(value) }
        var output: [UInt8] = Array("before".utf8)
        try template.render(
            to: "ana@example.net", name: name, messageID: "m1@acme.example", date: Self.date, values: filled,
            into: &output)
        #expect(output.starts(with: Array("before".utf8)))
        return String(decoding: output.dropFirst(6), as: UTF8.self)
    }

    @Test("values stand in the subject and in both parts, encoded for each place")
    func values() throws {
        let text: String = try render(try template(), ["Zoë"])
        #expect(text.contains("Subject: =?UTF-8?"))
        #expect(text.contains("\r\n\r\nHi=20Zo=C3=AB\r\n"))
        #expect(text.contains("<p>Hi=20Zo=C3=AB</p>"))
    }

    @Test("a template without slots gives the same bytes as a single message")
    func sameAsSingle() throws {
        let single = MIMEMessage(
            from: MailAddress(name: "Acme", address: try EmailAddress(parsing: "news@acme.example")),
            to: MailAddress(address: try EmailAddress(parsing: "ana@example.net")), subject: "S", text: "Hi \n",
            html: "<p>",
            date: Date(timeIntervalSince1970: 1_768_469_400), messageID: "m1@acme.example")
        let template = try MessageTemplate(
            from: single.from, subject: ["S"], text: ["Hi ", "\n"], html: ["<", "p>"],
            randomness: MessageTests.randomness)
        #expect(
            try render(template, [])
                == String(decoding: single.serialize(randomness: MessageTests.randomness), as: UTF8.self))
    }

    @Test("a subject that is encoded or folded is changed where it lies, not in a copy of all messages before it")
    func inPlace() throws {
        let template = try template()
        var output: [UInt8] = []
        output.reserveCapacity(1 << 16)
        let address = output.withUnsafeBufferPointer(\.baseAddress)
        for name in ["Zoë", String(repeating: "long ", count: 30) + "name", "Ana"] {
            var values = MessageValues()
            values.append(name)
            try template.render(
                to: "ana@example.net", messageID: "m1@acme.example", date: Self.date, values: values, into: &output)
            #expect(output.withUnsafeBufferPointer(\.baseAddress) == address)
        }
    }

    @Test("a value with a line break never adds a header, and the buffer stays as it was")
    func injection() throws {
        let template = try template()
        var values = MessageValues()
        values.append("x\r\nBcc: a@b.example")
        var output: [UInt8] = [1, 2, 3]
        #expect(throws: ValidationErrors.self) {
            try template.render(to: "a@b.example", messageID: "m@x", date: Self.date, values: values, into: &output)
        }
        #expect(output == [1, 2, 3])
        values.removeAll()
        values.append("x")
        for address in ["a@b\r\nX: y", "", "a@b.c>", "ä@b.example"] {
            #expect(throws: ValidationErrors.self) {
                try template.render(to: address, messageID: "m@x", date: Self.date, values: values, into: &output)
            }
        }
        #expect(throws: ValidationErrors.self) {
            try template.render(to: "a@b.c", messageID: "m@x\r\n", date: Self.date, values: values, into: &output)
        }
        #expect(output == [1, 2, 3])
    }

    @Test("a link in a header is checked for characters that could break out of it")
    func headerSlots() throws {
        let link: [MessagePiece] = ["https://l.acme.example/u/", .slot(1)]
        let template = try template(headers: MailHeader.oneClickUnsubscribe(link: link))
        #expect(try render(template, ["Ana", "T0k"]).contains("List-Unsubscribe: <https://l.acme.example/u/T0k>\r\n"))
        for token in ["a>b", "a b", "a\r\nX: y", "ü", "a,b", String(repeating: "a", count: 1000)] {
            #expect(throws: ValidationErrors.self) { try render(template, ["Ana", token]) }
        }
    }

    @Test("a missing value is an error, not an empty place")
    func missing() throws {
        #expect(throws: ValidationErrors.self) { try render(try template(), []) }
    }

    @Test("whatever the values are, lines stay short and the body reads back as written", arguments: 0..<60)
    func anyValues(seed: Int) throws {
        let alphabet: [Character] = Array("abcdef. =\tüF🎉\nrom")
        var state = UInt64(seed + 1) &* 0x9E37_79B9_7F4A_7C15 | 1
        func random(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        func words(_ limit: Int) -> String {
            String((0..<random(limit)).map { _ in alphabet[random(alphabet.count)] })
        }
        var pieces: [MessagePiece] = []
        var values = MessageValues()
        var whole = ""
        for slot in 0..<8 {
            let fixed: String = words(160)
            let value: String = words(120)
            pieces += [.text(fixed), .slot(slot)]
            values.append(value)
            whole += fixed + value
        }
        let template = try MessageTemplate(
            from: MailAddress(address: EmailAddress(parsing: "news@acme.example")), subject: ["S"], text: pieces,
            html: nil)
        var output: [UInt8] = []
        try template.render(to: "a@b.example", messageID: "m@x", date: Self.date, values: values, into: &output)
        let text = String(decoding: output, as: UTF8.self)
        #expect(text.components(separatedBy: "\r\n").allSatisfy { $0.utf8.count <= 76 || $0.hasPrefix("Content-") })
        #expect(!text.replacing("\r\n", with: "").contains { $0 == "\r" || $0 == "\n" || $0 == "\r\n" })
        #expect(!text.contains("\r\n."))
        let body: String = String(text[text.range(of: "\r\n\r\n")!.upperBound...].dropLast(1))
        #expect(QuotedPrintableReader.decode(Array(body.utf8)) == Array(whole.replacing("\n", with: "\r\n").utf8))
    }
}

@Suite("Return addresses")
struct BounceAddressTests {
    /// HMAC-SHA256 of `bounce:d42` and of `bounce:0197f3c2a4b87d10` with the demonstration key, from the vectors.
    static let addresses = BounceAddress(domain: "bounces.example.com") { message in
        switch String(decoding: message, as: UTF8.self) {
        case "bounce:d42":
            Hexadecimal.decode("11339e845050bb860307335217e46acec5607e0688c3c2a91d81d4caace71a6b") ?? []
        default: [0, 0, 0, 0, 0]
        }
    }

    @Test("the vector's address is made and read, in any case and with its plus changed")
    func vector() {
        #expect(Self.addresses.address(for: "d42") == "bounce+d42-cezz5bcq@bounces.example.com")
        for text in [
            "bounce+d42-cezz5bcq@bounces.example.com", "BOUNCE+D42-CEZZ5BCQ@Bounces.Example.COM",
            "bounce-d42-cezz5bcq@bounces.example.com",
        ] {
            #expect(Self.addresses.delivery(of: text) == "d42")
        }
    }

    @Test("forged, cut and foreign addresses name nothing")
    func forged() {
        for text in [
            "bounce+d42-cezz5bca@bounces.example.com", "bounce+d43-cezz5bcq@bounces.example.com",
            "bounce+d42-cezz5bcq@other.example.com", "bounce+d42@bounces.example.com",
            "bounce+-cezz5bcq@bounces.example.com",
            "x", "", "bounce+d42-cezz5bcq@bounces.example.com@bounces.example.com",
        ] {
            #expect(Self.addresses.delivery(of: text) == nil, "\(text)")
        }
        #expect(Self.addresses.address(for: "D 42") == nil)
        #expect(Self.addresses.address(for: String(repeating: "a", count: 49)) == nil)
    }

    @Test("an id with hyphens, such as a UUID, is read whole")
    func hyphens() throws {
        let id = "0197f3c2-a4b8-7d10-8000-000000000001"
        let address: String = try #require(Self.addresses.address(for: id))
        #expect(address.prefix { $0 != "@" }.utf8.count <= 64)
        #expect(Self.addresses.delivery(of: address) == id)
    }
}
