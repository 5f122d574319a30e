import Contacts
import Core
import FoundationEssentials
import Postgres
import TestSupport
import Testing

@testable import Messaging

@Suite("Mail that comes back")
struct BounceIntakeTests {
    /// A send whose messages were all taken, with the id of each by its recipient.
    private func withSent(
        people: Int = 3, _ body: (MessagingStage, JournalRecord.Run, [String: MessageID]) async throws -> Void
    ) async throws {
        try await MessagingStage.with(people: people) { stage in
            let run = try await stage.launch()
            let carrier = FakeCarrier()
            try await stage.dispatcher(carrier).dispatch(run)
            let ids = Dictionary(carrier.accepted.map { ($0.recipient, $0.id) }) { first, _ in first }
            try await body(stage, run, ids)
        }
    }

    private func intake(_ stage: MessagingStage) -> BounceIntake {
        BounceIntake(services: stage.services, links: LinkFactory(services: stage.services))
    }

    private func returnPath(_ stage: MessagingStage, _ message: MessageID) -> String {
        let identity = SendIdentity(
            fromName: "Acme", fromEmail: "news@acme.example", bounceDomain: "bounces.acme.example", listID: "l")
        return LinkFactory(services: stage.services).returnPath(identity).address(for: message)
    }

    private func report(
        to address: String, recipient: String = "p1@example.com", action: String = "failed", status: String = "5.1.1",
        said: String = "smtp; 550 5.1.1 no such user", headers: String = ""
    ) -> [UInt8] {
        let text = """
            Return-Path: <>
            From: MAILER-DAEMON@mx.example.net
            To: \(address)
            Content-Type: multipart/report; report-type=delivery-status; boundary=b

            --b
            Content-Type: message/delivery-status

            Reporting-MTA: dns; mx.example.net

            Final-Recipient: rfc822; \(recipient)
            Action: \(action)
            Status: \(status)
            Diagnostic-Code: \(said)

            --b
            Content-Type: text/rfc822-headers

            Subject: News
            \(headers)

            --b--
            """
        return Array(text.utf8)
    }

    private func complaint(_ address: String, type: String = "abuse", headers: String = "") -> [UInt8] {
        let text = """
            From: fbl@example.net
            To: fbl@acme.example
            Content-Type: multipart/report; report-type=feedback-report; boundary=b

            --b
            Content-Type: message/feedback-report

            Feedback-Type: \(type)
            User-Agent: FBL/1
            Version: 1
            Original-Mail-From: <\(address)>
            Original-Rcpt-To: <redacted@example.com>

            --b
            Content-Type: message/rfc822

            Subject: News
            \(headers)

            Hi
            --b--
            """
        return Array(text.utf8)
    }

    private func suppression(_ stage: MessagingStage, _ email: String) async throws -> SuppressionReason? {
        try await stage.services.database.read(stage.workspace) { tx in
            try await SuppressionQueries(workspace: stage.workspace, tx: tx).active(email)?.reason
        }
    }

    private func status(_ stage: MessagingStage, _ email: String) async throws -> EmailStatus? {
        let address = try EmailAddress(parsing: email)
        return try await stage.services.database.read(stage.workspace) { tx in
            try await ContactLookup.contact(email: address, stage.member.scope, in: tx)?.emailStatus
        }
    }

    private func events(_ stage: MessagingStage) async throws -> [String] {
        try await stage.services.database.read(stage.workspace) { tx in
            try await tx.values(
                String.self, "test.events", "SELECT kind || ':' || class FROM marketing_email_events ORDER BY id")
        }
    }

    @Test("A hard bounce settles its message, is noted, suppresses its address, and counts once however often it comes")
    func hard() async throws {
        try await withSent { stage, run, ids in
            let id = try #require(ids["p1@example.com"])
            let mail = report(to: returnPath(stage, id))
            #expect(try await intake(stage).take(mail) == .bounced(id, .hard))
            #expect(try await stage.tally(run) == ["sent": 2, "bounced:hard_bounce": 1])
            #expect(try await suppression(stage, "p1@example.com") == .hardBounce)
            #expect(try await status(stage, "p1@example.com") == .bounced)
            #expect(try await intake(stage).take(mail) == .repeated(id))
            let summary = try await stage.summary(run)
            #expect(summary.bounced == 1)
            #expect(summary.sent == 3)
            #expect(try await events(stage) == ["bounce:hard"])
            let browser = try await stage.member.signIn()
            let shown = try await browser.get("/messages/\(id)").text
            #expect(shown.contains("550 5.1.1 no such user"))
        }
    }

    @Test("A soft bounce and a block settle the message and leave the contact alone")
    func others() async throws {
        try await withSent { stage, run, ids in
            let full = try #require(ids["p0@example.com"])
            let blocked = try #require(ids["p1@example.com"])
            let fullMail = report(
                to: returnPath(stage, full), recipient: "p0@example.com", status: "5.2.2",
                said: "smtp; 552 5.2.2 mailbox full")
            #expect(try await intake(stage).take(fullMail) == .bounced(full, .soft))
            let blockedMail = report(to: returnPath(stage, blocked), status: "5.7.1", said: "smtp; 550 5.7.1 policy")
            #expect(try await intake(stage).take(blockedMail) == .bounced(blocked, .block))
            #expect(try await stage.tally(run) == ["sent": 1, "bounced:soft_bounce": 1, "bounced:blocked": 1])
            #expect(try await suppression(stage, "p0@example.com") == nil)
            #expect(try await suppression(stage, "p1@example.com") == nil)
            #expect(try await status(stage, "p1@example.com") == .active)
        }
    }

    @Test("Mail that was sent under an earlier secret still finds its message when it comes back")
    func earlierKeys() async throws {
        try await withSent { stage, run, ids in
            let id = try #require(ids["p1@example.com"])
            let old: String = returnPath(stage, id)
            let renewed = "another secret for tests that is long enough"
            let forgetful = try stage.portal.restarted(secret: renewed).services
            let mail: [UInt8] = report(to: old, recipient: "somebody-else@example.net")
            let lost = BounceIntake(services: forgetful, links: LinkFactory(services: forgetful))
            #expect(try await lost.take(mail) == .unknown)
            let mindful = try stage.portal.restarted(secret: renewed, earlier: [PortalFixture.secret]).services
            let kept = BounceIntake(services: mindful, links: LinkFactory(services: mindful))
            #expect(try await kept.take(mail) == .bounced(id, .hard))
            #expect(try await stage.tally(run)["bounced:hard_bounce"] == 1)
        }
    }

    @Test("A complaint suppresses at once, as a complaint, and the message stays sent")
    func complaints() async throws {
        try await withSent { stage, run, ids in
            let id = try #require(ids["p2@example.com"])
            let path = returnPath(stage, id)
            #expect(try await intake(stage).take(complaint(path, type: "not-spam")) != .complained(id))
            #expect(try await suppression(stage, "p2@example.com") == nil)
            #expect(try await intake(stage).take(complaint(path)) == .complained(id))
            #expect(try await intake(stage).take(complaint(path)) == .repeated(id))
            #expect(try await suppression(stage, "p2@example.com") == .complaint)
            #expect(try await status(stage, "p2@example.com") == .complained)
            #expect(try await stage.tally(run) == ["sent": 3])
            #expect(try await events(stage) == ["complaint:abuse"])
        }
    }

    @Test(
        "Without a bounce address the returned message's signed link or its Message-ID names it, the latter with its recipient"
    )
    func otherWays() async throws {
        try await withSent { stage, _, ids in
            let byLink = try #require(ids["p0@example.com"])
            let byID = try #require(ids["p1@example.com"])
            let contact = try await stage.services.database.read(stage.workspace) { tx in
                try await tx.value(
                    ContactID.self, "test.contact", "SELECT contact_id FROM marketing_messages WHERE id = \(byLink)")
            }
            let link = LinkFactory(services: stage.services).unsubscribing.url(
                .init(workspace: stage.workspace, contact: contact, message: byLink))
            let linked = complaint("news@acme.example", headers: "List-Unsubscribe: <\(link)>")
            #expect(try await intake(stage).take(linked) == .complained(byLink))
            let header = "Message-ID: <\(byID)@acme.example>"
            let other = report(to: "news@acme.example", recipient: "x@example.com", headers: header)
            #expect(try await intake(stage).take(other) == .unknown)
            #expect(try await intake(stage).take(complaint("news@acme.example", headers: header)) == .unknown)
            #expect(try await suppression(stage, "p1@example.com") == nil)
            let own = report(to: "news@acme.example", recipient: "P1@example.com", headers: header)
            #expect(try await intake(stage).take(own) == .bounced(byID, .hard))
        }
    }

    @Test("Forged addresses, delays, automatic replies and letters change nothing")
    func nothing() async throws {
        try await withSent { stage, run, ids in
            let id = try #require(ids["p1@example.com"])
            let path = returnPath(stage, id)
            let plain = id.description.filter { $0 != "-" }
            #expect(try await intake(stage).take(report(to: "bounce+\(plain)-aaaaaaaa@acme.example")) == .unknown)
            let late = report(to: path, action: "delayed", status: "4.2.2", said: "smtp; 452 4.2.2 full")
            guard case .ignored = try await intake(stage).take(late) else {
                Issue.record("a delay was counted")
                return
            }
            let reply = Array("From: p1@example.com\nTo: \(path)\nAuto-Submitted: auto-replied\n\nAway 5.1.1".utf8)
            guard case .ignored = try await intake(stage).take(reply) else {
                Issue.record("an automatic reply was counted")
                return
            }
            let letter = Array("Return-Path: <a@b.example>\nFrom: a@b.example\nTo: x@acme.example\n\nHello".utf8)
            guard case .ignored = try await intake(stage).take(letter) else {
                Issue.record("a letter would be answered")
                return
            }
            #expect(try await intake(stage).take([]) == .unknown)
            #expect(try await stage.tally(run) == ["sent": 3])
            // The address may also come from the mail server, when the mail's own headers do not have it.
            let bare = report(to: "undisclosed")
            #expect(try await intake(stage).take(bare, recipient: path.uppercased()) == .bounced(id, .hard))
        }
    }

    @Test(
        "A report that is faster than the ledger comes again; one about an uncertain message proves that it was taken")
    func earlyAndUncertain() async throws {
        try await MessagingStage.with(people: 2) { stage in
            let run = try await stage.launch()
            let waiting = try await stage.services.database.read(stage.workspace) { tx in
                try await tx.values(MessageID.self, "test.ids", "SELECT id FROM marketing_messages ORDER BY id")
            }
            let id = try #require(waiting.first)
            let path = returnPath(stage, id)
            #expect(try await intake(stage).take(report(to: path)) == .tooEarly(id))
            let carrier = FakeCarrier { _, _ in .uncertain(.connectionLostAfterData, "gone") }
            try await stage.dispatcher(carrier).dispatch(run)
            #expect(try await intake(stage).take(report(to: path)) == .bounced(id, .hard))
            let summary = try await stage.summary(run)
            #expect(summary.uncertain == 1)
            #expect(summary.sent == 1)
            #expect(summary.bounced == 1)
        }
    }

    @Test("A report about a message of long ago is written down and suppresses nobody")
    func old() async throws {
        try await withSent { stage, _, ids in
            let id = try #require(ids["p1@example.com"])
            for (table, time) in [("marketing_messages", "sent_at"), ("marketing_sent_times", "occurred_at")] {
                let column: SQL = "\(identifier: time)"
                try await stage.run("UPDATE \(identifier: table) SET \(column) = \(column) - interval '15 days'")
            }
            #expect(try await intake(stage).take(report(to: returnPath(stage, id))) == .bounced(id, .hard))
            #expect(try await suppression(stage, "p1@example.com") == nil)
        }
    }

    @Test("Lifting a bounce lets the contact get campaigns again")
    func lifted() async throws {
        try await withSent { stage, _, ids in
            let id = try #require(ids["p1@example.com"])
            _ = try await intake(stage).take(report(to: returnPath(stage, id)))
            let list = try await stage.member.api(.get, "/v1/suppressions").json()
            guard case .array(let rows)? = list["data"], let suppression = rows.first?["id"]?.stringValue else {
                Issue.record("\(list)")
                return
            }
            #expect(try await stage.member.api(.delete, "/v1/suppressions/\(suppression)").status == .noContent)
            #expect(try await status(stage, "p1@example.com") == .active)
        }
    }
}
