import Core
import FoundationEssentials
import Mail
import Templates
import Tracking

/// A prepared e-mail, compiled: what is the same for everybody is laid out as it goes over the wire, and for each person
/// only the values between are made.
package struct CompiledEmail: Sendable {
    /// What stands in a slot.
    enum Source: Sendable {
        case unsubscribe
        case pixel
        case link(LinkSource)
        /// An address that the author's Liquid makes; its number and its template.
        case liquidLink(Int, MergeTemplate)
        case liquid(MergeTemplate)
        /// Liquid whose result may hold slots.
        case slottedLiquid(MergeTemplate)
    }

    /// A link with the same target for everybody. A class, like ``MergeTemplate``: one reference to count where a slot is
    /// looked at, instead of one for each part.
    final class LinkSource: Sendable {
        let target: TrackingLinks.Target
        /// The target in an attribute, for those who are not tracked.
        let plain: [UInt8]

        init(number: Int, url: String) {
            target = TrackingLinks.Target(number: number, url: url)
            plain = HTMLText.attribute(url)
        }
    }

    let sources: [Source]
    let subject: [MessagePiece]
    let html: [MessagePiece]
    let text: [MessagePiece]
    private let links: [LinkSource?]
    private let template: MessageTemplate
    private let messageLinks: MessageLinks
    private let tracksOpens: Bool
    private let messageIDDomain: String
    /// About how large a message gets, in bytes.
    package let expectedSize: Int
    /// Whether the author's Liquid looks at contacts' properties.
    package let usesProperties: Bool

    /// - Throws: `TemplateError` for Liquid that cannot be read, `ValidationErrors` for a sender that cannot be used.
    package init(_ content: SendContent, links messageLinks: MessageLinks, routingKey: Int32) throws {
        var builder = PieceBuilder(content.email)
        subject = try builder.pieces(of: content.email.subject, mode: .text)
        html = try builder.pieces(of: content.email.html, mode: .html)
        text = try builder.pieces(of: content.email.text, mode: .text)
        sources = builder.sources
        links = builder.links
        self.messageLinks = messageLinks
        tracksOpens = content.email.tracksOpens
        expectedSize = content.email.html.utf8.count + content.email.text.utf8.count + 300 * sources.count + 2048
        usesProperties = builder.usesProperties
        let sender: EmailAddress = try Self.address(content.identity.fromEmail, field: "fromEmail")
        let replyTo: MailAddress? = try content.identity.replyTo.map {
            MailAddress(address: try Self.address($0, field: "replyTo"))
        }
        messageIDDomain = sender.asciiDomain
        template = try MessageTemplate(
            from: MailAddress(name: content.identity.fromName, address: sender), replyTo: replyTo, subject: subject,
            headers: Self.headers(content.identity, name: content.email.workspaceName, routingKey: routingKey),
            text: text,
            html: html)
    }

    private static func address(_ text: String, field: String) throws -> EmailAddress {
        do {
            return try EmailAddress(parsing: text)
        } catch {
            throw ValidationErrors(field, error.message)
        }
    }

    private static func headers(_ identity: SendIdentity, name: String, routingKey: Int32) -> [MailHeader] {
        let campaign: String = identity.campaign.map { "c\($0.description.filter { $0 != "-" })" } ?? "test"
        return MailHeader.oneClickUnsubscribe(link: [.slot(PieceBuilder.unsubscribeSlot)]) + [
            .listID(identity.listID, name: name),
            .feedbackID([campaign, "campaign", "w\(UInt32(bitPattern: routingKey))", "mktportal"]),
            .bulk,
        ]
    }

    /// Appends one person's whole message.
    /// - Throws: `TemplateError` or `ValidationErrors` when this person's copy cannot be made.
    package func render(
        for recipient: Recipient, date: MailDate, values: inout MessageValues, into output: inout [UInt8]
    ) throws {
        try fill(&values, for: recipient)
        try template.render(
            to: recipient.address, name: recipient.name, messageID: messageID(of: recipient.message), date: date,
            values: values, into: &output)
    }

    /// The subject as one line of text, for the Outbox and logs. Empty when this person's cannot be made.
    func subjectLine(for recipient: Recipient) -> String {
        guard subject.contains(where: { if case .slot = $0 { true } else { false } }) else { return constantSubject }
        do {
            return try joined(subject, for: recipient)
        } catch {
            return ""
        }
    }

    private var constantSubject: String {
        subject.map { if case .text(let text) = $0 { text } else { "" } }.joined()
    }

    /// The same for all attempts, so that a receiver can tell a repetition.
    package func messageID(of message: MessageID) -> String {
        "\(message)@\(messageIDDomain)"
    }

    private func fill(_ values: inout MessageValues, for recipient: Recipient) throws {
        values.removeAll()
        let identity = MessageIdentity(recipient.message)
        var failure: (any Error)?
        for source in sources {
            values.append { output in
                do {
                    try append(source, for: recipient, identity, to: &output)
                } catch {
                    failure = failure ?? error
                }
            }
            if let failure { throw failure }
        }
    }

    func append(
        _ source: Source, for recipient: Recipient, _ identity: MessageIdentity, to output: inout [UInt8]
    ) throws {
        switch source {
        case .unsubscribe: appendUnsubscribe(for: recipient, to: &output)
        case .pixel: appendPixel(for: recipient, identity, to: &output)
        case .link(let link): append(link, for: recipient, identity, to: &output)
        case .liquidLink(let number, let template):
            let address: [UInt8] = try template.rendered(for: recipient)
            append(address: address, number: number, for: recipient, identity, to: &output)
        case .liquid(let template): try template.append(for: recipient, to: &output)
        case .slottedLiquid(let template):
            let rendered: [UInt8] = try template.rendered(for: recipient)
            expand(rendered, for: recipient, identity, to: &output)
        }
    }

    private func appendUnsubscribe(for recipient: Recipient, to output: inout [UInt8]) {
        let claim = UnsubscribeLinks.Claim(
            workspace: messageLinks.workspace, contact: recipient.contact, message: recipient.message)
        messageLinks.unsubscribing.append(claim, to: &output)
    }

    private static let pixelStart = Array("<img src=\"".utf8)
    private static let pixelEnd = Array("\" alt=\"\" width=\"1\" height=\"1\" style=\"display:block;border:0\">".utf8)

    private func appendPixel(for recipient: Recipient, _ identity: MessageIdentity, to output: inout [UInt8]) {
        guard tracksOpens, recipient.allowsTracking else { return }
        output.append(contentsOf: Self.pixelStart)
        messageLinks.tracking.appendOpen(of: identity, to: &output)
        output.append(contentsOf: Self.pixelEnd)
    }

    private func append(
        _ link: LinkSource, for recipient: Recipient, _ identity: MessageIdentity, to output: inout [UInt8]
    ) {
        if recipient.allowsTracking {
            messageLinks.tracking.appendClick(of: link.target, in: identity, to: &output)
        } else {
            output.append(contentsOf: link.plain)
        }
    }

    /// An address that Liquid rendered, escaped for HTML. One that cannot be followed safely leads nowhere.
    private func append(
        address: [UInt8], number: Int, for recipient: Recipient, _ identity: MessageIdentity, to output: inout [UInt8]
    ) {
        let url: String = HTMLText.decoded(address).filter { !$0.isWhitespace }
        guard LinkSafety.isFollowable(url) else {
            output.append(UInt8(ascii: "#"))
            return
        }
        append(LinkSource(number: number, url: url), for: recipient, identity, to: &output)
    }

    /// Copies rendered HTML, putting in what its slots stand for.
    private func expand(
        _ rendered: [UInt8], for recipient: Recipient, _ identity: MessageIdentity, to output: inout [UInt8]
    ) {
        var copied = 0
        while let start = rendered[copied...].firstIndex(of: 0xEE) {
            guard SlotMarks.isMark(rendered, start, SlotMarks.open) else {
                output.append(contentsOf: rendered[copied...start])
                copied = start + 1
                continue
            }
            output.append(contentsOf: rendered[copied..<start])
            var end: Int = start + 3
            while end < rendered.count, !SlotMarks.isMark(rendered, end, SlotMarks.close) { end += 1 }
            copied = min(end + 3, rendered.count)
            guard end < rendered.count, let part = SlotMarks.part(rendered[(start + 3)..<end]) else { continue }
            append(part, for: recipient, identity, to: &output)
        }
        output.append(contentsOf: rendered[copied...])
    }

    private func append(
        _ part: MergePart, for recipient: Recipient, _ identity: MessageIdentity, to output: inout [UInt8]
    ) {
        switch part {
        case .unsubscribe, .preferences: appendUnsubscribe(for: recipient, to: &output)
        case .pixel: appendPixel(for: recipient, identity, to: &output)
        case .link(let number, let address):
            if let address {
                append(address: Array(address.utf8), number: number, for: recipient, identity, to: &output)
            } else if number < links.count, let link = links[number] {
                append(link, for: recipient, identity, to: &output)
            }
        case .text, .liquid: break
        }
    }
}
