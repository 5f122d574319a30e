import Core
import Cryptography
import FoundationEssentials
import Mail
import Postgres
import Templates
import TestSupport
import Testing
import Tracking

@testable import Messaging

@Suite("From an author's text to a person's message")
struct CompileTests {
    private static let key = HMACKey(Array(repeating: 7, count: 32))
    private static let tracking = TrackingLinks(publicBase: "https://m.example", key: key)
    private static let unsubscribing = UnsubscribeLinks(publicBase: "https://m.example", key: key)

    private func compiled(
        _ html: String, subject: String = "Hi {{ contact.firstName }}", frame: EmailFrame? = nil
    ) throws -> CompiledEmail {
        let email = try EmailPreparation.prepare(
            EmailDraft(subject: subject, format: .rich, body: html),
            frame: frame ?? EmailFrame(workspaceName: "Acme", postalAddress: "1 Main Street\n12345 Town"),
            footers: EmailFooters { try PortalFixture.library() })
        return try CompiledEmail(
            SendContent(
                email: email,
                identity: SendIdentity(
                    fromName: "Acme", fromEmail: "news@acme.example", listID: "all.w1.acme.example")),
            links: MessageLinks(
                workspace: WorkspaceID(UUID()), tracking: Self.tracking, unsubscribing: Self.unsubscribing),
            routingKey: 1)
    }

    private func recipient(_ name: String = "Ana", tracked: Bool = true, properties: [String: JSONValue]? = nil)
        -> Recipient
    {
        let id = ContactID(UUID())
        var merge = MergeData(workspaceName: "Acme")
        let person = ContactSnapshot(
            email: "ana@example.com", firstName: name, properties: properties.map { JSONMembers($0) })
        return Recipient(
            message: MessageID.make(
                at: Date(timeIntervalSince1970: 1_768_469_400), routingKey: 1, position: 3, random: 5),
            contact: id, address: "ana@example.com", name: name,
            data: merge.values(of: person, id: id),
            allowsTracking: tracked)
    }

    private func message(_ email: CompiledEmail, _ recipient: Recipient) throws -> OutboxReader {
        var values = MessageValues()
        var bytes: [UInt8] = []
        try email.render(for: recipient, date: MailDate(Date(timeIntervalSince1970: 0)), values: &values, into: &bytes)
        return OutboxReader(bytes)
    }

    @Test("Links are signed for this message, the pixel is there, the footer is added, the headers are set")
    func tracked() throws {
        let email = try compiled(
            "<p>Hello {{ contact.firstName }}</p><p><a href=\"https://example.com/a?x=1&amp;y=2\">Go</a></p>")
        let ana = recipient()
        let read = try message(email, ana)
        #expect(read.html.contains("Hello Ana"))
        let click = try #require(
            read.html.firstMatch(of: /track\/click\/([0-9a-f-]{36})\?l=0&u=([^&]+)&s=([A-Za-z0-9_-]{22})/))
        #expect(click.1 == ana.message.description)
        #expect(click.2 == "https%3A%2F%2Fexample.com%2Fa%3Fx%3D1%26y%3D2")
        #expect(
            Self.tracking.isValid(message: ana.message, number: 0, url: "https://example.com/a?x=1&y=2", tag: click.3))
        #expect(!Self.tracking.isValid(message: ana.message, number: 0, url: "https://evil.example/", tag: click.3))
        #expect(read.html.contains("/v1/webhooks/track/open/\(ana.message)"))
        #expect(read.html.contains("1 Main Street, 12345 Town"))
        let token = try #require(read.html.firstMatch(of: /unsubscribe\?token=([A-Za-z0-9_-]+)/)?.1)
        #expect(Self.unsubscribing.open(token)?.message == ana.message)
        #expect(read.text.contains("https://example.com/a?x=1&y=2"))
        #expect(read.text.contains("unsubscribe?token="))
        #expect(read.headers.contains("Subject: Hi Ana"))
        #expect(read.headers.contains("Message-ID: <\(ana.message)@acme.example>"))
        #expect(read.headers.contains("List-ID:"))
    }

    @Test("A name or an address with braces or marks of HTML stays text in the footer")
    func footer() throws {
        let frame = EmailFrame(
            workspaceName: "A & {{ contact.email }} <b>", postalAddress: "{% raw %} 1\nTown \u{201C}x\u{201D}")
        let read = try message(try compiled("<p>Hello</p>", frame: frame), recipient())
        let line = "A &amp; &#123;&#123; contact.email &#125;&#125; &lt;b&gt;, &#123;% raw %&#125; 1, "
        #expect(read.html.contains(line))
        #expect(read.text.contains("A & {{ contact.email }} <b>, {% raw %} 1, Town"))
        #expect(read.html.contains(">Unsubscribe</a>"))
        let own = try message(
            try compiled("<p>Town hall</p><a href=\"{{ unsubscribe_url }}\">Leave</a>"), recipient())
        #expect(own.html.contains("Acme, 1 Main Street, 12345 Town"))
        #expect(!own.html.contains(">Unsubscribe</a>"))
    }

    @Test("People who are not tracked get plain links and no pixel")
    func untracked() throws {
        let read = try message(try compiled("<a href=\"https://example.com/\">Go</a>"), recipient(tracked: false))
        #expect(!read.html.contains("/track/"))
        #expect(read.html.contains("href=\"https://example.com/\""))
    }

    @Test("Blocks, loops and assignments give the same as the whole template would")
    func blocks() throws {
        let email = try compiled(
            """
            {% if contact.firstName == "Ana" %}<a href="https://example.com/ana">A</a>{% else %}B{% endif %}
            {% assign word = "later" %}{{ word }} <a href="https://example.com/{{ contact.firstName }}?q=1">C</a>
            """)
        let ana = try message(email, recipient())
        #expect(ana.html.contains("u=https%3A%2F%2Fexample.com%2Fana&"))
        #expect(ana.html.contains("u=https%3A%2F%2Fexample.com%2FAna%3Fq%3D1&"))
        #expect(ana.html.contains("later"))
        #expect(!ana.html.contains("\u{E000}"))
        let bob = try message(email, recipient("Bob"))
        #expect(!bob.html.contains("example.com%2Fana&"))
    }

    @Test("A name with HTML, slots or line breaks stays text")
    func hostileNames() throws {
        let email = try compiled("<p>Hello {{ contact.firstName }}</p>", subject: "News")
        let read = try message(email, recipient("<script>\u{E000}u\u{E001}"))
        #expect(!read.html.contains("<script>"))
        let header = try compiled("<p>x</p>", subject: "Hi {{ contact.firstName }}")
        #expect(throws: (any Error).self) { try message(header, recipient("a\r\nBcc: b@c.example")) }
    }

    @Test(
        "Addresses that Liquid makes must lead somewhere safe",
        arguments: ["javascript:alert(1)", "https://u:p@x.example/", "data:x"])
    func unsafeAddresses(address: String) throws {
        let email = try compiled("<a href=\"{{ contact.properties.url }}\">x</a>")
        let read = try message(email, recipient(properties: ["url": .string(address)]))
        #expect(read.html.contains("href=\"#\""))
        #expect(!read.html.contains(address))
    }

    @Test(
        "Templates are cut where they can be, and left whole where they cannot",
        arguments: [
            ("a {{ x }} b", 3), ("{% if a %}{{ b }}{% endif %}", 1),
            ("{% for i in a %}{% if i %}x{% endif %}{% endfor %}y", 2),
            ("{{ unsubscribe_url }}", 1), ("plain", 1),
        ])
    func splitting(source: String, parts: Int) {
        #expect(MergeSplitter.split(source)?.count == parts)
    }

    @Test(
        "Templates whose tags depend on each other stay whole",
        arguments: [
            "{% assign a = 1 %}{{ a }}", "{{- x -}}", "{% if a %}", "{% raw %}{{ x }}{% endraw %}", "{{ x",
            "{% capture a %}{% endcapture %}",
        ])
    func whole(source: String) {
        #expect(MergeSplitter.split(source) == nil)
    }

    @Test("A person's properties are only read when the e-mail uses them")
    func properties() throws {
        #expect(try compiled("<p>{{ contact.firstName }}</p>").usesProperties == false)
        #expect(try compiled("<p>{{ contact.plan }}</p>").usesProperties)
        #expect(try compiled("<p>{{ contact.properties.plan }}</p>").usesProperties)
    }
}
