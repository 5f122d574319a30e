import Core
import Templates
import Tracking

/// The person a message is made for, and the message's place in the ledger.
package struct Recipient: Sendable {
    package let message: MessageID
    package let contact: ContactID
    /// The address in its wire form: ASCII, fit for SMTP.
    package let address: String
    package let name: String
    /// What the author's Liquid may use.
    package let data: LiquidValue
    package let allowsTracking: Bool

    package init(
        message: MessageID, contact: ContactID, address: String, name: String, data: LiquidValue, allowsTracking: Bool
    ) {
        self.message = message
        self.contact = contact
        self.address = address
        self.name = name
        self.data = data
        self.allowsTracking = allowsTracking
    }
}

/// The links that an e-mail needs for one workspace.
package struct MessageLinks: Sendable {
    package let workspace: WorkspaceID
    package let tracking: TrackingLinks
    package let unsubscribing: UnsubscribeLinks

    package init(workspace: WorkspaceID, tracking: TrackingLinks, unsubscribing: UnsubscribeLinks) {
        self.workspace = workspace
        self.tracking = tracking
        self.unsubscribing = unsubscribing
    }
}
