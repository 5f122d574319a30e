import Core
import FoundationEssentials
import Testing

@testable import Mail

@Suite("Messages")
struct MessageTests {
    static let date = Date(timeIntervalSince1970: 1_768_469_400)
    static let randomness = Randomness { 0x0102_0304_0506_0708 }
    static let boundary = "=_080706050403020108070605"

    private func address(_ text: String, name: String = "") throws -> MailAddress {
        MailAddress(name: name, address: try EmailAddress(parsing: text))
    }

    private func message(
        subject: String = "Hello", fromName: String = "Acme", toName: String = "", headers: [MailHeader] = [],
        attachments: [MailAttachment] = [], html: String? = "<p>Hi</p>"
    ) throws -> MIMEMessage {
        MIMEMessage(
            from: try address("news@acme.example", name: fromName), to: try address("ana@example.net", name: toName),
            subject: subject, text: "Hi", html: html, headers: headers, attachments: attachments, date: Self.date,
            messageID: "m1@acme.example")
    }

    private func text(_ message: MIMEMessage) throws -> String {
        String(decoding: try message.serialize(randomness: Self.randomness), as: UTF8.self)
    }

    @Test("a message of two parts has these bytes, text first")
    func bytes() throws {
        let expected = [
            "Date: Thu, 15 Jan 2026 09:30:00 +0000", "From: Acme <news@acme.example>", "To: ana@example.net",
            "Subject: Hello", "Message-ID: <m1@acme.example>", "MIME-Version: 1.0",
            "Content-Type: multipart/alternative;", " boundary=\"\(Self.boundary)\"", "", "--\(Self.boundary)",
            "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable", "", "Hi",
            "--\(Self.boundary)", "Content-Type: text/html; charset=utf-8",
            "Content-Transfer-Encoding: quoted-printable", "", "<p>Hi</p>", "--\(Self.boundary)--", "",
        ]
        #expect(try text(message()) == expected.joined(separator: "\r\n"))
    }

    @Test("each required header is there exactly once")
    func headersOnce() throws {
        let headers: [MailHeader] =
            MailHeader.oneClickUnsubscribe(
                link: ["https://l.acme.example/u/T"], mail: ["u+T@acme.example?subject=unsubscribe"])
            + [.listID("l3.t42.acme.example", name: "Spring offers"), .feedbackID(["c991", "l3", "t42", "ourportal"])]
        let lines = try text(message(headers: headers)).components(separatedBy: "\r\n\r\n")[0]
            .components(separatedBy: "\r\n")
        for name in ["Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type", "List-ID"] {
            #expect(lines.count { $0.hasPrefix("\(name): ") } == 1, "\(name)")
        }
        #expect(lines.contains("List-Unsubscribe: <https://l.acme.example/u/T>,"))
        #expect(lines.contains(" <mailto:u+T@acme.example?subject=unsubscribe>"))
        #expect(lines.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"))
        #expect(lines.contains("List-ID: Spring offers <l3.t42.acme.example>"))
        #expect(lines.contains("Feedback-ID: c991:l3:t42:ourportal"))
        #expect(!lines.contains { $0.lowercased().hasPrefix("bcc") })
    }

    @Test(
        "a line break or NUL in a subject, a name or a header is refused with the field's name",
        arguments: ["x\r\nBcc: a@b.example", "x\ny", "x\ry", "x\0y"])
    func injection(text: String) throws {
        #expect(
            throws: ValidationErrors(
                "subject", "Subject has a line break or another character that is not allowed there.")
        ) {
            try message(subject: text).serialize()
        }
        #expect(throws: ValidationErrors.self) { try message(fromName: text).serialize() }
        #expect(throws: ValidationErrors.self) { try message(toName: text).serialize() }
        #expect(throws: ValidationErrors.self) { try message(headers: [.custom("X-A", [.text(text)])]).serialize() }
        #expect(throws: ValidationErrors.self) { try message(headers: [.feedbackID([text])]).serialize() }
        #expect(throws: ValidationErrors.self) { try message(headers: [.listID(text)]).serialize() }
        let pdf = MailAttachment(fileName: text, contentType: "application/pdf", bytes: [1])
        #expect(throws: ValidationErrors.self) { try message(attachments: [pdf]).serialize() }
        let named = MailHeader.oneClickUnsubscribe(link: [.text(text)])
        #expect(throws: ValidationErrors.self) { try message(headers: named).serialize() }
    }

    @Test(
        "headers that the portal sets, and names that are no names, cannot be set by hand",
        arguments: ["From", "to", "Bcc", "DKIM-Signature", "List-Unsubscribe", "Return-Path", "X Y", "X:", "", "Ü"])
    func reservedHeaders(name: String) {
        #expect(throws: ValidationErrors.self) { try MailHeader.custom(name, ["x"]) }
    }

    @Test("the same header twice is refused")
    func twice() throws {
        #expect(throws: ValidationErrors.self) {
            try message(headers: [.custom("X-A", ["1"]), .custom("x-a", ["2"])]).serialize()
        }
    }

    @Test("names with special characters are quoted, others encoded, plain ones left alone")
    func names() throws {
        #expect(try text(message(toName: "Ana Lima")).contains("To: Ana Lima <ana@example.net>\r\n"))
        #expect(try text(message(toName: "Lima, \"Ana\" \\")).contains(#"To: "Lima, \"Ana\" \\" <ana@example.net>"#))
        #expect(
            try text(message(toName: "Zoë O’Neil")).contains("To: =?UTF-8?B?Wm/DqyBP4oCZTmVpbA==?= <ana@example.net>"))
        #expect(try text(message(toName: "=?UTF-8?Q?x?=")).contains("To: =?UTF-8?B?PT9VVEYtOD9RP3g/PQ==?= <"))
    }

    @Test("long subjects are folded at spaces, or encoded when that is impossible, and no line passes its limit")
    func longSubjects() throws {
        let words = String(repeating: "words and ", count: 20) + "end"
        let folded: String = try text(message(subject: words))
        #expect(folded.replacing("\r\n words", with: " words").replacing("\r\n and", with: " and").contains(words))
        for subject in [
            words, String(repeating: "x", count: 2000), String(repeating: "ü", count: 300), "a  b   " + words,
        ] {
            let lines = try text(message(subject: subject)).components(separatedBy: "\r\n")
            #expect(lines.allSatisfy { $0.utf8.count <= 78 })
        }
    }

    @Test("an attachment makes the message mixed, with base64 lines of 76")
    func attachment() throws {
        let pdf = MailAttachment(
            fileName: "a.pdf", contentType: "application/pdf", bytes: [UInt8](repeating: 7, count: 100))
        let lines = try text(message(attachments: [pdf])).components(separatedBy: "\r\n")
        #expect(lines.contains("Content-Type: multipart/mixed;"))
        #expect(lines.contains("Content-Disposition: attachment; filename=\"a.pdf\""))
        #expect(lines.contains { $0.count == 76 && $0.hasPrefix("BwcHBwcH") })
    }

    @Test("a message of text alone has one part, and one of nothing is refused")
    func textOnly() throws {
        #expect(try text(message(html: nil)).contains("Content-Type: text/plain; charset=utf-8\r\n"))
        var empty: MIMEMessage = try message(html: nil)
        empty.text = nil
        #expect(throws: ValidationErrors.self) { try empty.serialize() }
    }
}
