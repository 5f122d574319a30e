import Core

/// Where a message stands. `sending` is not written: a claimed batch says it for all its messages.
package enum MessageState: String, Sendable, CaseIterable {
    case pending, sending, sent, delivered, retry, failed, bounced, uncertain, skipped, cancelled

    package var label: String {
        switch self {
        case .pending: "Waiting"
        case .sending: "Being sent"
        case .sent: "Sent"
        case .delivered: "Delivered"
        case .retry: "Will be tried again"
        case .failed: "Failed"
        case .bounced: "Bounced"
        case .uncertain: "Uncertain"
        case .skipped: "Not sent"
        case .cancelled: "Cancelled"
        }
    }
}

/// Where a send stands.
package enum SendState: String, Sendable, CaseIterable, Codable {
    case sending, paused, sent, cancelled, failed

    /// Whether nothing will be handed over any more.
    package var isFinal: Bool { self == .sent || self == .cancelled || self == .failed }

    package func canBecome(_ next: SendState) -> Bool {
        switch (self, next) {
        case (.sending, .paused), (.sending, .sent), (.sending, .cancelled), (.sending, .failed): true
        case (.paused, .sending), (.paused, .cancelled): true
        // Someone chose to send the uncertain messages again.
        case (.sent, .sending): true
        default: false
        }
    }
}

/// Why a message was not sent, or not accepted. The raw values are stored and part of the API: they never change.
package enum MessageReason: String, Sendable, CaseIterable {
    case suppressedUnsubscribed = "suppressed_unsubscribed"
    case suppressedBounce = "suppressed_bounce"
    case suppressedComplaint = "suppressed_complaint"
    case suppressedManually = "suppressed_manual"
    case suppressedDomain = "suppressed_domain"
    case suppressedErased = "suppressed_erased"
    case consentWithdrawn = "consent_withdrawn"
    case notConfirmed = "not_confirmed"
    case noEmail = "no_email"
    case invalidEmail = "invalid_email"
    case deleted
    /// Two people became one while the send ran.
    case merged
    case duplicateAddress = "duplicate_address"
    case onExcludedList = "on_excluded_list"
    case hardBounce = "hard_bounce"
    case softBounce = "soft_bounce"
    case blocked
    case providerRejected = "provider_rejected"
    case renderError = "render_error"
    case cancelled
    case crashUncertain = "crash_uncertain"
    case connectionLostAfterData = "connection_lost_after_data"
    case notRecorded = "not_recorded"

    /// What the reason means, for the person who asks why somebody did not get a message.
    package var label: String {
        switch self {
        case .suppressedUnsubscribed: "Unsubscribed"
        case .suppressedBounce: "The address bounced before"
        case .suppressedComplaint: "Marked an earlier message as spam"
        case .suppressedManually: "On the do-not-send list"
        case .suppressedDomain: "The whole domain is on the do-not-send list"
        case .suppressedErased: "The address was erased on request"
        case .consentWithdrawn: "Consent was withdrawn or ran out"
        case .notConfirmed: "Has not confirmed the subscription"
        case .noEmail: "No e-mail address"
        case .invalidEmail: "The e-mail address cannot be used"
        case .deleted: "The contact was deleted"
        case .merged: "Merged with another contact who gets it"
        case .duplicateAddress: "Another contact with this address gets it"
        case .onExcludedList: "On an excluded list"
        case .hardBounce: "The address does not exist"
        case .softBounce: "The mailbox would not take it for now"
        case .blocked: "The mail server refused it as a matter of policy"
        case .providerRejected: "The mail server refused it"
        case .renderError: "The message could not be personalised"
        case .cancelled: "The campaign was cancelled first"
        case .crashUncertain: "The portal stopped while handing it over"
        case .connectionLostAfterData: "The mail server went away before it answered"
        case .notRecorded: "What became of it could not be written down"
        }
    }
}
