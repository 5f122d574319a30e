import Accounts
import Core
import Foundation
import Logging
import Portal
import Synchronization
import TestSupport
import Testing

@Suite("Letters of the portal itself")
struct SystemMailerTests {
    private static let letter = SystemMail(
        subject: "Reset your password", heading: "Hello Ana & Bo", message: "The link below is good once.",
        actionLabel: "Choose a new password", actionHref: "https://portal.example/reset?token=a%20b&x=1")

    @Test("A letter is plain text and HTML, each in its own part, with the link in both")
    func parts() async throws {
        let sent = Mutex<[UInt8]>([])
        let views = try PortalFixture.library()
        let mailer = SystemMailer(
            smtp: Secret("smtp://portal%40example.org:x@127.0.0.1:2525"), directory: NSTemporaryDirectory(),
            views: { views }, send: { message, _, _, _ in sent.withLock { $0 = message } },
            logger: Logger(label: "tests"))
        try await mailer.deliver(Self.letter, to: "ana@example.org")
        let message = String(decoding: sent.withLock { $0 }, as: UTF8.self)
            .replacing("=\r\n", with: "").replacing("=3D", with: "=")
        let parts: [String] = message.components(separatedBy: "Content-Type: text/")
        try #require(parts.count == 3)
        #expect(parts[1].hasPrefix("plain") && !parts[1].contains("<"))
        #expect(
            parts[1].contains("Hello Ana & Bo") && parts[1].contains("https://portal.example/reset?token=a%20b&x=1"))
        #expect(parts[2].hasPrefix("html") && parts[2].contains("Hello Ana &amp; Bo</h1>"))
        #expect(parts[2].contains("href=\"https://portal.example/reset?token=a%20b&amp;x=1\""))
    }
}
