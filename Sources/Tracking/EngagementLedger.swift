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

/// Where the counters of messages live. Tracking declares what it needs; Messaging, a floor above, fulfils it.
package protocol EngagementLedger: Sendable {
    /// SQL that counts engagements on their messages, to stand in a statement's `WITH` so that counting and keeping the
    /// events is one statement.
    ///
    /// It defines `recorded (id, contact_id)`: each message that exists, once. Unknown messages are left out.
    /// - Parameters:
    ///   - hits: the name of an earlier table of the same `WITH`, or a table in brackets, with the columns
    ///     `message_id, kind, occurred_at, human`.
    ///   - workspace: the one that all of them belong to.
    func recording(_ hits: SQL, workspace: WorkspaceID) -> SQL
}
