import Core

/// What came back by mail: a report that a message could not be delivered (RFC 3464, RFC 6533), a complaint about one
/// (RFC 5965), or something else.
///
/// Reading never fails. Reports come from anywhere and may be forged: only an address with our tag, found among
/// ``addresses``, or our own signed link in ``unsubscribeLinks`` proves which message is meant.
package struct BounceReport: Sendable, Equatable {
    /// What happened to a message on its way.
    package enum Action: String, Sendable {
        case failed, delayed, delivered, relayed, expanded
    }

    /// What a report says of one recipient.
    package struct Recipient: Sendable, Equatable {
        /// The address that we sent to, when the report still knows it.
        package let original: String?
        /// Where it went at last; another one when mail was forwarded.
        package let final: String?
        package let action: Action
        /// `5.1.1` and the like.
        package let status: String?
        /// What the server said, as it stands in the report.
        package let diagnostic: String?
        package let server: String?

        /// Whether the report speaks of this address, however its case.
        package func names(_ address: String) -> Bool {
            [original, final].contains { $0?.lowercased() == address.lowercased() }
        }
    }

    /// What somebody said about a message with a button of their mail program.
    package struct Feedback: Sendable, Equatable {
        /// `abuse`, `fraud`, `virus`, `other`, `not-spam`, `auth-failure`, in lower case.
        package let type: String
        package let originalSender: String?
        /// Often blacked out.
        package let originalRecipients: [String]
        package let sourceAddress: String?
    }

    package enum Content: Sendable, Equatable {
        case delivery([Recipient])
        case feedback(Feedback)
        /// Neither: an automatic reply, a letter by a person, a receipt.
        case other
    }

    package let content: Content
    /// Addresses among which our own return address may be, the likeliest first.
    package let addresses: [String]
    /// Of the message that the report is about, without angle brackets.
    package let originalMessageID: String?
    /// The `List-Unsubscribe` links of that message.
    package let unsubscribeLinks: [String]
    /// The server that wrote the report.
    package let reporter: String?
    /// Whether it was sent without a return address, as reports are; nil when that is not known.
    package let hasEmptyReturnPath: Bool?

    /// Bytes that are read: reports stand before the message that they return.
    package static let sizeLimit = 1 << 20
    /// Recipients of a report that are looked at; ours have one.
    static let recipientLimit = 20

    package init(parsing message: [UInt8]) {
        let whole = ReceivedPart(message.prefix(Self.sizeLimit))
        let leaves: [ReceivedPart] = whole.leaves()
        let returned: ReceivedFields? = leaves.lazy.compactMap { Self.returned($0) }.first
        let status: ReceivedPart? = leaves.first {
            $0.type == "message/delivery-status" || $0.type == "message/global-delivery-status"
        }
        let complaint: ReceivedPart? = leaves.first { $0.type == "message/feedback-report" }
        var reporter: String?
        var senders: [String] = []
        if let complaint {
            let (fields, _) = ReceivedFields.split(complaint.content[...])
            let feedback: Feedback = Self.feedback(fields)
            content = .feedback(feedback)
            reporter = fields["reporting-mta"] ?? fields["user-agent"]
            senders = [feedback.originalSender].compactMap { $0 }
        } else if let status {
            let groups: [ReceivedFields] = ReceivedFields.groups(status.content, limit: Self.recipientLimit + 1)
            content = .delivery(groups.compactMap { Self.recipient($0) })
            reporter = groups.lazy.compactMap { $0["reporting-mta"] }.first
        } else {
            content = UnstructuredBounce.recipient(in: whole, leaves).map { .delivery([$0]) } ?? .other
        }
        self.reporter = reporter.map { Self.afterType($0) }
        let envelope: [String] = ["delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to"]
            .flatMap { whole.fields.all($0) }
        let sent: [String] = ["return-path", "x-envelope-from"].compactMap { returned?[$0] }
        addresses = (envelope + senders + sent).flatMap { Self.addresses(in: $0) }
        originalMessageID = (returned?["message-id"]).map { Self.bare($0) }
        unsubscribeLinks = returned.map { Self.links(in: $0.all("list-unsubscribe")) } ?? []
        hasEmptyReturnPath = whole.fields["return-path"].map { Self.bare($0).isEmpty }
    }

    /// The headers of the message that came back, from a part that holds it.
    private static func returned(_ part: ReceivedPart) -> ReceivedFields? {
        let types: Set<String> = [
            "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers",
            "message/rfc822-headers",
        ]
        guard types.contains(part.type) else { return nil }
        return ReceivedFields.split(part.content[...]).0
    }

    private static func recipient(_ fields: ReceivedFields) -> Recipient? {
        guard let word = fields["action"], let action = Action(rawValue: firstWord(word)) else { return nil }
        return Recipient(
            original: fields["original-recipient"].map { bare(afterType($0)) },
            final: fields["final-recipient"].map { bare(afterType($0)) }, action: action,
            status: fields["status"].flatMap { EnhancedCode.find(in: $0) },
            diagnostic: fields["diagnostic-code"], server: fields["remote-mta"].map { afterType($0) })
    }

    private static func feedback(_ fields: ReceivedFields) -> Feedback {
        Feedback(
            type: firstWord(fields["feedback-type"] ?? ""),
            originalSender: fields["original-mail-from"].map { bare($0) },
            originalRecipients: fields.all("original-rcpt-to").prefix(recipientLimit).map { bare(afterType($0)) },
            sourceAddress: fields["source-ip"])
    }

    // MARK: Small readers

    private static func firstWord(_ text: String) -> String {
        String(text.lowercased().prefix { $0.isLetter || $0 == "-" })
    }

    /// `rfc822; ana@example.net` → `ana@example.net`.
    private static func afterType(_ text: String) -> String {
        guard let semicolon = text.firstIndex(of: ";") else { return text.trimmingSpaces }
        return String(text[text.index(after: semicolon)...]).trimmingSpaces
    }

    private static func bare(_ text: String) -> String {
        String(text.trimmingSpaces.drop { $0 == "<" }.prefix { $0 != ">" })
    }

    private static func addresses(in value: String) -> [String] {
        let separators: Set<Character> = [" ", "\t", "<", ">", ",", ";", ":", "\"", "(", ")"]
        return value.split { separators.contains($0) }.filter { $0.contains("@") && $0.utf8.count <= 320 }.prefix(10)
            .map(String.init)
    }

    private static func links(in values: [String]) -> [String] {
        values.prefix(2).flatMap { $0.split { $0 == "<" || $0 == ">" || $0 == "," || $0 == " " } }
            .filter { $0.hasPrefix("http") }.prefix(4).map(String.init)
    }
}

extension BounceReport.Recipient {
    /// Whose fault it is. A status that says nothing (`5.0.0`) gives way to what the server said.
    package var verdict: BounceVerdict {
        let said: BounceClassifier.Line = BounceClassifier.read(line: diagnostic ?? "")
        let isTelling: Bool = status.map { !$0.hasSuffix(".0.0") } ?? false
        return BounceClassifier.classify(
            code: said.code, enhancedCode: isTelling ? status : said.enhancedCode ?? status, text: said.text)
    }

    /// For people: what the server said, else the status.
    package var words: String {
        if let diagnostic, !diagnostic.isEmpty {
            guard let semicolon = diagnostic.firstIndex(of: ";") else { return diagnostic }
            return String(diagnostic[diagnostic.index(after: semicolon)...]).trimmingSpaces
        }
        return status.map { "Status \($0)" } ?? "No reason given"
    }
}

/// Bounces of servers that write plain text: believed only when they come from a mail system, say so with a code for
/// good, and are no automatic reply of a person.
enum UnstructuredBounce {
    private static let lineLimit = 400

    static func recipient(in whole: ReceivedPart, _ leaves: [ReceivedPart]) -> BounceReport.Recipient? {
        let sender: String = (whole.fields["from"] ?? "").lowercased()
        let isSystem: Bool = sender.contains("mailer-daemon") || sender.contains("postmaster")
        guard isSystem, whole.type != "multipart/report",
            let text = leaves.first(where: { $0.type == "text/plain" })
        else { return nil }
        var rest: ArraySlice<UInt8> = text.content.prefix(65_536)
        for _ in 0..<lineLimit {
            guard let bytes = MailDecoding.line(of: &rest) else { return nil }
            let line: String = String(decoding: bytes.prefix(500), as: UTF8.self).trimmingSpaces
            guard let code = EnhancedCode.find(in: line), code.hasPrefix("5.") else { continue }
            return BounceReport.Recipient(
                original: nil, final: nil, action: .failed, status: code, diagnostic: diagnostic(line), server: nil)
        }
        return nil
    }

    /// From the reply's three digits on, where there are any.
    private static func diagnostic(_ line: String) -> String {
        let words: [Substring] = line.split(separator: " ")
        guard let start = words.firstIndex(where: { $0.count >= 3 && Int($0.prefix(3)).map { $0 / 100 == 5 } == true })
        else { return line }
        return words[start...].joined(separator: " ")
    }
}
