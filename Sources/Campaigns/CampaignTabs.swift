import Core
import Web

/// The pages of one campaign, as tabs above each of them.
package enum CampaignTabs {
    package enum Place: Sendable {
        case overview, report, messages
        /// One message: no tab is the current one.
        case message
    }

    /// - Parameter hasSend: whether anything has been sent: before that there are no messages.
    package static func all(_ id: CampaignID, hasSend: Bool, current: Place) -> [Tab] {
        var tabs: [Tab] = [
            Tab(label: "Overview", href: "/campaigns/\(id)", current: current == .overview),
            Tab(label: "Report", href: "/campaigns/\(id)/report", current: current == .report),
        ]
        if hasSend || current == .messages {
            tabs.append(Tab(label: "Messages", href: "/campaigns/\(id)/messages", current: current == .messages))
        }
        return tabs
    }
}
