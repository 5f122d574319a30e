import Core
import Mail
import Templates
import Tracking

/// An e-mail as one person would see it, for looking at: links lead where they lead, nothing is measured.
package struct EmailPreview: Sendable, Equatable {
    package let subject: String
    package let html: String
    package let text: String
}

extension CompiledEmail {
    /// - Throws: `TemplateError` when the Liquid fails for this person.
    package func preview(for recipient: Recipient) throws -> EmailPreview {
        let untracked = Recipient(
            message: recipient.message, contact: recipient.contact, address: recipient.address, name: recipient.name,
            data: recipient.data, allowsTracking: false)
        return EmailPreview(
            subject: try joined(subject, for: untracked), html: try joined(html, for: untracked),
            text: try joined(text, for: untracked))
    }

    func joined(_ pieces: [MessagePiece], for recipient: Recipient) throws -> String {
        let identity = MessageIdentity(recipient.message)
        var output: [UInt8] = []
        for piece in pieces {
            switch piece {
            case .text(let text): output.append(contentsOf: text.utf8)
            case .slot(let slot): try append(sources[slot], for: recipient, identity, to: &output)
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
