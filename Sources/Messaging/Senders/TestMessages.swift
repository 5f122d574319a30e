import Accounts
import Core
import FoundationEssentials
import Mail
import Postgres
import Templates

/// What became of a test message, with all that was said.
package struct TestReport: Sendable {
    package struct Line: Sendable, Equatable {
        /// `client`, `server` or `note`.
        package let side: String
        package let text: String
    }

    package let recipient: String
    package let isAccepted: Bool
    /// One sentence for people.
    package let summary: String
    package let lines: [Line]
    /// Where it can be read when it went to the Outbox.
    package let outboxMessage: MessageID?
}

extension MessagingInterface {
    /// Sends one e-mail to an address as a test, outside every ledger. Tests are never measured.
    /// - Parameter contact: whose data fill the merge tags.
    package func sendTest(
        _ content: SendContent, to address: String, contact: ContactID?, workspace: Workspace
    ) async throws -> TestReport {
        let recipientAddress: String
        do {
            recipientAddress = try EmailAddress(parsing: address).wireForm
        } catch {
            throw ValidationErrors("to", error.message)
        }
        let email: CompiledEmail = try compile(content, workspace: workspace)
        let (sender, person) = try await services.database.read(workspace.id) { tx in
            (
                try await senders.sender(of: workspace.id, in: tx),
                try await recipient(contact, workspace: workspace, in: tx)
            )
        }
        let reader = Recipient(
            message: person.message, contact: person.contact, address: recipientAddress, name: "", data: person.data,
            allowsTracking: false)
        var values = MessageValues()
        var bytes: [UInt8] = []
        try email.render(for: reader, date: MailDate(services.clock.now), values: &values, into: &bytes)
        let returnPath: String = links.returnPath(content.identity).fallback
        switch sender.provider {
        case .outbox:
            return try await keep(bytes, subject: email.subjectLine(for: reader), for: reader, workspace: workspace)
        case .smtp:
            let settings: SMTPSettings = try sender.connection(helloName: HelloName.of(services.urls))
            let report: SMTPTest.Report = await SMTPTest.run(
                settings: settings, sender: returnPath, recipient: recipientAddress, message: bytes)
            return Self.report(report, recipient: address)
        }
    }

    private func keep(
        _ bytes: [UInt8], subject: String, for recipient: Recipient, workspace: Workspace
    ) async throws -> TestReport {
        let message = OutboxMessage(id: recipient.message, recipient: recipient.address, subject: subject, raw: bytes)
        try await services.database.write(workspace.id) { tx in
            try await OutboxQueries(workspace: workspace.id, tx: tx)
                .insert([message], send: nil, now: services.clock.now)
        }
        return TestReport(
            recipient: recipient.address, isAccepted: true,
            summary: "Kept in the Outbox. Set up a mail server to send real e-mail.", lines: [],
            outboxMessage: recipient.message)
    }

    private static func report(_ report: SMTPTest.Report, recipient: String) -> TestReport {
        let lines: [TestReport.Line] = report.lines.map { TestReport.Line(side: $0.side.rawValue, text: $0.text) }
        let (isAccepted, summary): (Bool, String) =
            switch report.outcome {
            case .accepted(let reply): (true, "The mail server accepted the message: \(reply.line)")
            case .deferred(let reply): (false, "The mail server does not take it for now: \(reply.line)")
            case .rejected(let reply): (false, "The mail server refused the message: \(reply.line)")
            case .uncertain(let reason): (false, "It is not known whether the message arrived: \(reason)")
            case .unavailable(let reason): (false, "The mail server can't be reached: \(reason)")
            case .configuration(let reason): (false, "The settings do not work: \(reason)")
            }
        return TestReport(
            recipient: recipient, isAccepted: isAccepted, summary: summary, lines: lines, outboxMessage: nil)
    }

    /// The message of the settings page's own test.
    func settingsTest(from sender: SenderSummary, workspace: Workspace) throws -> SendContent {
        let draft = EmailDraft(
            subject: "A test from \(workspace.name.replacing("{", with: ""))", format: .markdown,
            body: "This is a test. If you can read it, your settings work.")
        guard let fromEmail = sender.fromEmail else {
            throw ValidationErrors("fromEmail", "Enter the address that your e-mails come from, and save, first.")
        }
        return SendContent(
            email: try prepare(draft, workspace: workspace),
            identity: SendIdentity(
                fromName: sender.fromName, fromEmail: fromEmail, replyTo: sender.replyTo,
                bounceDomain: sender.bounceDomain, listID: Self.listID(workspace, fromEmail: fromEmail, list: nil)))
    }

    /// `List-ID`: of the list when there is one, else of the workspace, under the sender's domain (RFC 2919).
    package static func listID(_ workspace: Workspace, fromEmail: String, list: ContactListID?) -> String {
        let domain: String = (try? EmailAddress(parsing: fromEmail))?.asciiDomain ?? "localhost"
        let name: String = list.map { "l\($0.description.filter { $0 != "-" })" } ?? "all"
        return "\(name).w\(UInt32(bitPattern: workspace.routingKey)).\(domain)"
    }
}
