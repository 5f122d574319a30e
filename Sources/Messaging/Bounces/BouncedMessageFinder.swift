import Core
import FoundationEssentials
import Mail
import Tracking

/// Finds out which message a report is about, and how sure that is.
struct BouncedMessageFinder: Sendable {
    let links: LinkFactory

    struct Named: Sendable, Equatable {
        let message: MessageID
        /// By something that only the portal can make. A Message-ID alone can be made up: it counts only together with
        /// the right recipient.
        let isProven: Bool

        /// What to say when the ledger does not have the message.
        var absent: BounceIntake.Outcome {
            isProven ? .ignored("The message is not in the ledger any more, or was a test.") : .unknown
        }
    }

    /// By the return address, then by the signed link of the returned message, then by its Message-ID.
    func find(_ report: BounceReport, recipient: String?) -> Named? {
        let addresses: [String] = [recipient].compactMap { $0 } + report.addresses
        for address in addresses {
            if let message = message(of: address) { return Named(message: message, isProven: true) }
        }
        for link in report.unsubscribeLinks {
            if let message = message(ofLink: link) { return Named(message: message, isProven: true) }
        }
        guard let id = report.originalMessageID, let at = id.firstIndex(of: "@"), let message = MessageID(id[..<at])
        else { return nil }
        return Named(message: message, isProven: false)
    }

    /// Whatever domain it has: the tag proves that the address is ours.
    private func message(of address: String) -> MessageID? {
        guard let at = address.lastIndex(of: "@") else { return nil }
        let domain = String(address[address.index(after: at)...])
        for key in [links.bounceKey] + links.earlierBounceKeys {
            let own = BounceAddress(domain: domain, authenticate: key)
            if let message = own.delivery(of: address).flatMap({ Self.message(hexadecimal: $0) }) { return message }
        }
        return nil
    }

    static func message(hexadecimal text: String) -> MessageID? {
        guard let bytes = Hexadecimal.decode(text), bytes.count == 16 else { return nil }
        return MessageID(UUID(uuid: bytes.withUnsafeBytes { $0.loadUnaligned(as: uuid_t.self) }))
    }

    private func message(ofLink link: String) -> MessageID? {
        guard let start = link.ranges(of: "token=").first?.upperBound else { return nil }
        return links.unsubscribing.open(link[start...].prefix { $0 != "&" })?.message
    }
}
