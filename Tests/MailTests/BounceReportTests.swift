import Core
import Testing

@testable import Mail

@Suite("Reports that come back by mail")
struct BounceReportTests {
    static func crlf(_ text: String) -> [UInt8] {
        Array(text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n").utf8)
    }

    static let delivery = """
        From: Mail Delivery Subsystem <MAILER-DAEMON@mx1.example.net>
        To: bounce+d42-cezz5bcq@bounces.example.com
        Return-Path: <>
        Subject: Undelivered Mail Returned to Sender
        Auto-Submitted: auto-replied
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=delivery-status;
         boundary="b1"

        --b1
        Content-Type: text/plain; charset=utf-8

        The message could not be delivered to two of its recipients.

        --b1
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx1.example.net
        Original-Envelope-Id: d42
        Arrival-Date: Thu, 01 Jan 2026 00:00:05 +0000

        Original-Recipient: rfc822;nobody@example.net
        Final-Recipient: rfc822; nobody@example.net
        Action: failed
        Status: 5.1.1
        Remote-MTA: dns; store.example.net
        Diagnostic-Code: smtp; 550 5.1.1 <nobody@example.net>: no such
         mailbox

        Final-Recipient: rfc822; full@example.net
        Action: delayed
        Status: 4.2.2
        Diagnostic-Code: smtp; 452 4.2.2 mailbox full
        Will-Retry-Until: Fri, 02 Jan 2026 00:00:05 +0000

        --b1
        Content-Type: text/rfc822-headers

        Message-ID: <d42.1767225600@mail.example.com>
        From: Acme News <news@mail.example.com>
        To: nobody@example.net
        List-Unsubscribe: <https://mail.example.com/u?token=abc>, <mailto:u@example.com>
        Subject: January offers

        --b1--
        """

    static let complaint = """
        From: Feedback Loop <fbl@example.net>
        To: fbl@bounces.example.com
        Content-Type: multipart/report; report-type=feedback-report; boundary=b2

        --b2
        Content-Type: text/plain; charset=us-ascii

        A subscriber marked the attached message as unwanted.

        --b2
        Content-Type: message/feedback-report

        Feedback-Type: abuse
        User-Agent: ExampleNet-FBL/1.2
        Version: 1
        Original-Mail-From: <bounce+d42-cezz5bcq@bounces.example.com>
        Original-Rcpt-To: <redacted@example.net>
        Reporting-MTA: dns; fbl.example.net
        Source-IP: 198.51.100.24

        --b2
        Content-Type: message/rfc822

        Return-Path: <bounce+d42-cezz5bcq@bounces.example.com>
        Message-ID: <d42.1767225600@mail.example.com>
        To: redacted@example.net

        Hi
        --b2--
        """

    @Test("the vector's report names its recipients, what became of each, and the message", arguments: [true, false])
    func deliveryReport(withCRLF: Bool) throws {
        let report = BounceReport(parsing: withCRLF ? Self.crlf(Self.delivery) : Array(Self.delivery.utf8))
        guard case .delivery(let recipients) = report.content else {
            Issue.record("\(report.content)")
            return
        }
        #expect(recipients.count == 2)
        let first = try #require(recipients.first)
        #expect(first.original == "nobody@example.net")
        #expect(first.final == "nobody@example.net")
        #expect(first.action == .failed)
        #expect(first.status == "5.1.1")
        #expect(first.server == "store.example.net")
        #expect(first.words == "550 5.1.1 <nobody@example.net>: no such mailbox")
        #expect(first.verdict.bounceClass == .hard)
        #expect(first.names("Nobody@Example.net"))
        let second = try #require(recipients.last)
        #expect(second.original == nil)
        #expect(second.action == .delayed)
        #expect(second.verdict.bounceClass == .soft)
        #expect(second.verdict.isTemporary)
        #expect(report.addresses == ["bounce+d42-cezz5bcq@bounces.example.com"])
        #expect(report.originalMessageID == "d42.1767225600@mail.example.com")
        #expect(report.unsubscribeLinks == ["https://mail.example.com/u?token=abc"])
        #expect(report.reporter == "mx1.example.net")
        #expect(report.hasEmptyReturnPath == true)
    }

    @Test("the vector's complaint names its type and, twice, the return address of the message")
    func feedbackReport() {
        let report = BounceReport(parsing: Self.crlf(Self.complaint))
        guard case .feedback(let feedback) = report.content else {
            Issue.record("\(report.content)")
            return
        }
        #expect(feedback.type == "abuse")
        #expect(feedback.originalSender == "bounce+d42-cezz5bcq@bounces.example.com")
        #expect(feedback.originalRecipients == ["redacted@example.net"])
        #expect(feedback.sourceAddress == "198.51.100.24")
        #expect(report.addresses.contains("bounce+d42-cezz5bcq@bounces.example.com"))
        #expect(report.originalMessageID == "d42.1767225600@mail.example.com")
        #expect(report.hasEmptyReturnPath == nil)
    }

    @Test(
        "whose fault it is comes from the status, unless that says nothing",
        arguments: [
            ("5.1.1", "", BounceClass.hard), ("5.0.0", "smtp; 550 5.1.1 gone", .hard),
            ("5.0.0", "smtp; 550 No such user here", .hard), ("5.0.0", "", .unknown), ("4.4.7", "", .soft),
            ("5.2.2", "smtp; 552 5.2.2 mailbox full", .soft), ("5.7.26", "smtp; 550-5.7.26 unauthenticated", .block),
            ("4.4.1", "X-Postfix; connect to mx.example.net: Connection timed out", .soft), ("5.7.8", "", .config),
            ("5.7.1", "smtp; 554 5.7.1 <a@b.example>: Recipient address rejected: User unknown", .hard),
        ])
    func verdicts(status: String, diagnostic: String, expected: BounceClass) {
        let recipient = BounceReport.Recipient(
            original: nil, final: "a@b.example", action: .failed, status: status,
            diagnostic: diagnostic.isEmpty ? nil : diagnostic, server: nil)
        #expect(recipient.verdict.bounceClass == expected)
    }

    @Test("an encoded report within other parts, with an international address, is found")
    func encoded() {
        let groups =
            "Reporting-MTA: dns;mx\n\nFinal-Recipient: utf-8; ana@bücher.example\nACTION: Failed\nStatus: 5.1.1 (x)\n"
        let mail = """
            Delivered-To: bounce+a-b@c.example
            content-type: MULTIPART/mixed; Boundary = "outer"

            preamble
            --outer
            Content-Type: multipart/report; boundary=outer2

            --outer2
            Content-Type: message/global-delivery-status
            Content-Transfer-Encoding: base64

            \(Base64.encode(Array(groups.utf8)))
            --outer2--
            """
        let report = BounceReport(parsing: Array(mail.utf8))
        guard case .delivery(let recipients) = report.content else {
            Issue.record("\(report.content)")
            return
        }
        #expect(recipients.map(\.final) == ["ana@bücher.example"])
        #expect(recipients.first?.status == "5.1.1")
        #expect(report.addresses == ["bounce+a-b@c.example"])
    }

    @Test("a plain bounce is believed from a mail system, with a code for good; an automatic reply never is")
    func unstructured() {
        let text = "Hi. This is the qmail-send program.\n<a@b.example>:\nRemote host said: 550 5.1.1 no such user\n"
        let bounce = "From: MAILER-DAEMON@x.example\nTo: bounce+a-b@c.example\n\n" + text
        guard case .delivery(let recipients) = BounceReport(parsing: Array(bounce.utf8)).content else {
            Issue.record("not read")
            return
        }
        #expect(recipients.first?.action == .failed)
        #expect(recipients.first?.words == "550 5.1.1 no such user")
        let person = "From: Ana <ana@x.example>\nTo: bounce+a-b@c.example\nAuto-Submitted: auto-replied\n\n" + text
        #expect(BounceReport(parsing: Array(person.utf8)).content == .other)
        let later = "From: postmaster@x.example\n\nStill trying: 450 4.2.1 busy\n"
        #expect(BounceReport(parsing: Array(later.utf8)).content == .other)
        let receipt = "From: postmaster@x.example\nContent-Type: multipart/report; boundary=b\n\n--b\n\n5.1.1\n--b--\n"
        #expect(BounceReport(parsing: Array(receipt.utf8)).content == .other)
    }

    @Test("nesting, lengths and numbers of parts without end are cut short")
    func limits() {
        var nested = ""
        for level in 0..<3_000 { nested += "Content-Type: multipart/mixed; boundary=n\(level)\n\n--n\(level)\n" }
        #expect(BounceReport(parsing: Array((nested + Self.delivery).utf8)).content == .other)
        let fields = String(repeating: "X: y\n", count: 100_000)
        #expect(BounceReport(parsing: Array((fields + "\nHi").utf8)).content == .other)
        let longLine = "To: " + String(repeating: "a@b,", count: 400_000)
        #expect(BounceReport(parsing: Array(longLine.utf8)).addresses.count <= 10)
        let folded = "To: x\n" + String(repeating: " a@b.example\n", count: 50_000)
        #expect(BounceReport(parsing: Array(folded.utf8)).addresses.count <= 10)
        let parts = "Content-Type: multipart/mixed; boundary=b\n\n" + String(repeating: "--b\n\nx\n", count: 50_000)
        #expect(BounceReport(parsing: Array(parts.utf8)).content == .other)
        let groups = String(
            repeating: "Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1\n\n", count: 9_000)
        let many = "Content-Type: message/delivery-status\n\n" + groups
        guard case .delivery(let recipients) = BounceReport(parsing: Array(many.utf8)).content else {
            Issue.record("not read")
            return
        }
        #expect(recipients.count <= 21)
    }

    @Test("whatever is changed in a report, reading it answers", arguments: 0..<200)
    func mutated(seed: UInt64) {
        var state: UInt64 = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func random(_ limit: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(limit))
        }
        var bytes: [UInt8] = Self.crlf(seed % 2 == 0 ? Self.delivery : Self.complaint)
        for _ in 0..<(1 + random(40)) {
            let index: Int = random(bytes.count)
            switch random(4) {
            case 0: bytes[index] = UInt8(random(256))
            case 1: bytes.remove(at: index)
            case 2: bytes.insert(contentsOf: [13, 10, 45, 45, 0, 255].shuffled(by: random(6)), at: index)
            default: bytes = Array(bytes[..<max(1, index)]) + bytes[max(0, index - random(index + 1))...]
            }
        }
        let report = BounceReport(parsing: bytes)
        #expect(report.addresses.allSatisfy { $0.contains("@") })
        if case .delivery(let recipients) = report.content {
            for recipient in recipients { _ = (recipient.verdict, recipient.words) }
        }
    }

    @Test("nothing, a line break, noise and a boundary of nothing are no reports")
    func nothing() {
        for text in ["", "\n", "\r\n\r\n", ":", "a: b", "Content-Type: multipart/report; boundary=\n\n--\n\n--"] {
            #expect(BounceReport(parsing: Array(text.utf8)).content == .other)
        }
        #expect(BounceReport(parsing: [0xFF, 0xFE, 0, 58, 0xC3, 10, 32, 0x80]).content == .other)
    }
}

extension [UInt8] {
    fileprivate func shuffled(by distance: Int) -> [UInt8] {
        Array(self[distance...]) + Array(self[..<distance])
    }
}
