import Core
import FoundationEssentials

/// One message to one person: system mail, test sends. Campaigns use ``MessageTemplate`` directly.
package struct MIMEMessage: Sendable {
    package var from: MailAddress
    package var to: MailAddress
    package var replyTo: MailAddress?
    package var subject: String
    package var text: String?
    package var html: String?
    package var headers: [MailHeader]
    package var attachments: [MailAttachment]
    package var date: Date
    /// Without angle brackets: a unique part, `@`, and a domain of the sender.
    package var messageID: String

    package init(
        from: MailAddress, to: MailAddress, replyTo: MailAddress? = nil, subject: String, text: String?,
        html: String? = nil, headers: [MailHeader] = [], attachments: [MailAttachment] = [], date: Date,
        messageID: String
    ) {
        self.from = from
        self.to = to
        self.replyTo = replyTo
        self.subject = subject
        self.text = text
        self.html = html
        self.headers = headers
        self.attachments = attachments
        self.date = date
        self.messageID = messageID
    }

    /// The message as SMTP's DATA takes it: CRLF line ends, not dot-stuffed.
    /// - Throws: field errors for anything that could break or add a header.
    package func serialize(randomness: Randomness = .system) throws(ValidationErrors) -> [UInt8] {
        let template = try MessageTemplate(
            from: from, replyTo: replyTo, subject: [.text(subject)], headers: headers, text: text.map { [.text($0)] },
            html: html.map { [.text($0)] }, attachments: attachments, randomness: randomness)
        var output: [UInt8] = []
        try template.render(
            to: to.address.wireForm, name: to.name, messageID: messageID, date: MailDate(date),
            values: MessageValues(), into: &output)
        return output
    }
}
