import Accounts
import Core
import FoundationEssentials
import Logging
import Mail
import Templates
import Web

/// Sends the portal's own letters through the system-wide sender. Without one they are kept as files, so that an
/// operator can read them.
package struct SystemMailer: Sendable {
    private let smtp: Secret<String>?
    private let directory: String
    private let views: @Sendable () -> ViewLibrary?
    private let clock: WallClock
    private let ids: IdentifierSource
    private let send: @Sendable (_ message: [UInt8], _ from: String, _ to: String, _ url: String) async throws -> Void
    private let logger: Logger

    package init(
        smtp: Secret<String>?, directory: String, views: @escaping @Sendable () -> ViewLibrary?,
        clock: WallClock = .system,
        send: @escaping @Sendable ([UInt8], String, String, String) async throws -> Void, logger: Logger
    ) {
        self.smtp = smtp
        self.directory = directory
        self.views = views
        self.clock = clock
        ids = IdentifierSource(clock: clock)
        self.send = send
        self.logger = logger
    }

    /// Hands a letter to the mail server, or keeps it where there is none.
    package func deliver(_ mail: SystemMail, to recipient: String) async throws {
        let sender = try EmailAddress(parsing: senderAddress)
        let message = try message(mail, from: sender, to: EmailAddress(parsing: recipient))
        if let smtp {
            try await send(message, sender.wireForm, recipient, smtp.reveal())
        } else {
            try keep(message, to: recipient)
        }
    }

    /// The user of the SMTP address when it is an e-mail address, else a name of our own.
    private var senderAddress: String {
        guard let url = smtp.flatMap({ URL(string: $0.reveal()) }), let user = url.user(percentEncoded: false),
            user.contains("@")
        else { return "portal@localhost.localdomain" }
        return user
    }

    private func message(_ mail: SystemMail, from sender: EmailAddress, to recipient: EmailAddress) throws -> [UInt8] {
        let id: Identifier<MessageTag> = ids.next()
        let page = NoticeMail(mail: mail)
        let text: String? = try views()?.renderText(page, chrome: Chrome.empty)
        let html: [UInt8]? = try views()?.render(page, chrome: Chrome.empty)
        return try MIMEMessage(
            from: MailAddress(name: "Marketing Portal", address: sender), to: MailAddress(address: recipient),
            subject: mail.subject, text: text ?? mail.message, html: html.map { String(decoding: $0, as: UTF8.self) },
            date: clock.now, messageID: "\(id)@\(sender.asciiDomain)"
        ).serialize()
    }

    private func keep(_ message: [UInt8], to recipient: String) throws {
        let folder = "\(directory)/mail"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let id: Identifier<MessageTag> = ids.next()
        let path = "\(folder)/\(id).eml"
        try Data(message).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        logger.notice(
            "no system sender is configured (MARKETING_SMTP_URL); the letter is kept",
            metadata: ["to": .string(recipient), "file": .string(path)])
    }
}
