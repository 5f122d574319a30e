import Core
import FoundationEssentials
import Messaging

/// Where a campaign stands.
package enum CampaignStatus: String, Sendable, CaseIterable, Codable {
    case draft, scheduled, sending, paused, sent, cancelled, failed

    package var label: String {
        switch self {
        case .draft: "Draft"
        case .scheduled: "Scheduled"
        case .sending: "Sending"
        case .paused: "Paused"
        case .sent: "Sent"
        case .cancelled: "Cancelled"
        case .failed: "Failed"
        }
    }

    /// The colour role of the pill that shows it.
    package var tone: String {
        switch self {
        case .draft, .cancelled: "neutral"
        case .scheduled: "info"
        case .sending: "accent"
        case .paused: "warn"
        case .sent: "ok"
        case .failed: "danger"
        }
    }
}

/// How the author wrote the body.
package enum BodyMode: String, Sendable, CaseIterable, Codable {
    /// HTML from the editor.
    case rich
    /// A whole e-mail as HTML, used as it is after cleaning.
    case html
    case markdown
}

/// What the author decides about a campaign.
package struct CampaignContent: Sendable, Equatable {
    package var name: String = ""
    package var audience = SendAudience()
    package var subject: String = ""
    package var previewText: String = ""
    package var bodyMode: BodyMode = .rich
    package var html: String = ""
    package var fromName: String?
    package var fromEmail: String?
    package var replyTo: String?

    package init() {}
}

/// A campaign as it is stored.
package struct Campaign: Sendable, Equatable {
    package let id: CampaignID
    package let content: CampaignContent
    package let status: CampaignStatus
    package let scheduledAt: Date?
    package let launchedAt: Date?
    package let finishedAt: Date?
    package let send: SendID?
    /// Grows with every change; a save names the version that it started from.
    package let version: Int
    package let createdAt: Date
    package let updatedAt: Date
}

/// What can happen to a campaign.
package enum CampaignEvent: Sendable, Equatable {
    case edit, schedule, unschedule, launch, pause, resume, cancel, finish, fail, reopen, delete
}

extension CampaignStatus {
    /// The status after an event; nil when the event cannot happen to it.
    package func after(_ event: CampaignEvent) -> CampaignStatus? {
        switch (self, event) {
        case (.draft, .edit): .draft
        case (.draft, .schedule), (.scheduled, .schedule): .scheduled
        case (.scheduled, .unschedule): .draft
        case (.draft, .launch), (.scheduled, .launch): .sending
        case (.sending, .pause): .paused
        case (.paused, .resume): .sending
        case (.sending, .cancel), (.paused, .cancel), (.scheduled, .cancel): .cancelled
        case (.sending, .finish), (.paused, .finish): .sent
        case (.sending, .fail), (.scheduled, .fail): .failed
        case (.sent, .reopen): .sending
        case (.draft, .delete), (.sent, .delete), (.cancelled, .delete), (.failed, .delete): self
        default: nil
        }
    }

    /// What a person may do now.
    package func allows(_ event: CampaignEvent) -> Bool { after(event) != nil }

    /// Why an event cannot happen, in words for the person who asked for it.
    package func refusal(of event: CampaignEvent) -> String {
        switch event {
        case .edit: "A campaign can only be changed while it is a draft. This one is \(label.lowercased())."
        case .launch where self == .sending: "This campaign is being sent already."
        case .launch where self == .sent: "This campaign was sent already. Duplicate it to send it again."
        case .launch: "A campaign that is \(label.lowercased()) cannot be sent."
        case .schedule: "Only a draft can be scheduled. This campaign is \(label.lowercased())."
        case .pause: "Only a campaign that is being sent can be paused. This one is \(label.lowercased())."
        case .resume: "Only a paused campaign can be resumed. This one is \(label.lowercased())."
        case .cancel: "This campaign is \(label.lowercased()) and cannot be cancelled."
        case .delete: "A campaign that is \(label.lowercased()) cannot be deleted. Cancel it first."
        case .unschedule, .finish, .fail, .reopen: "This cannot be done to a campaign that is \(label.lowercased())."
        }
    }
}
