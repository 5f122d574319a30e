import Core
import FoundationEssentials
import Postgres

/// Something a person did with a message.
package struct Engagement: Sendable {
    package enum Kind: String, Sendable {
        case open, click, unsubscribe
    }

    package let message: MessageID
    package let kind: Kind
    package let occurredAt: Date
    /// Whether a person seems to be behind it. Only human opens and clicks move the first-opened and first-clicked times;
    /// the counts take all.
    package let isHuman: Bool

    package init(message: MessageID, kind: Kind, occurredAt: Date, isHuman: Bool) {
        self.message = message
        self.kind = kind
        self.occurredAt = occurredAt
        self.isHuman = isHuman
    }
}

/// A message that exists, for an engagement that was recorded.
package struct RecordedEngagement: Sendable, Equatable {
    package let message: MessageID
    package let contact: ContactID
    package let send: SendID

    package init(message: MessageID, contact: ContactID, send: SendID) {
        self.message = message
        self.contact = contact
        self.send = send
    }
}

/// Where the counters of messages live. Tracking declares what it needs; Messaging, a floor above, fulfils it.
package protocol EngagementLedger: Sendable {
    /// Counts engagements on their messages, all of one workspace, and returns each message that exists, once.
    /// Unknown messages are left out of the answer.
    func record(
        _ engagements: [Engagement], workspace: WorkspaceID, in tx: PostgresTransaction
    ) async throws -> [RecordedEngagement]
}
