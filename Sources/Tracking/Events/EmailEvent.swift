import Core
import FoundationEssentials

/// An open or a click as it came in.
package struct EmailEvent: Sendable {
    package let id: Identifier<EmailEventTag>
    package let workspace: WorkspaceID
    package let engagement: Engagement
    package let linkNumber: Int?
    package let url: String?
    package let engagementClass: EngagementClass
    package let userAgent: String
    /// The address without its last part: a network, not a person (/24 of IPv4, /48 of IPv6).
    package let network: String

    package init(
        id: Identifier<EmailEventTag>, workspace: WorkspaceID, engagement: Engagement, linkNumber: Int?, url: String?,
        engagementClass: EngagementClass, userAgent: String, network: String
    ) {
        self.id = id
        self.workspace = workspace
        self.engagement = engagement
        self.linkNumber = linkNumber
        self.url = url
        self.engagementClass = engagementClass
        self.userAgent = userAgent
        self.network = network
    }
}

package enum EmailEventTag {}

/// Shortens addresses before they are stored.
enum NetworkPrefix {
    static func of(_ address: String) -> String {
        if address.utf8.contains(UInt8(ascii: ":")) {
            return address.split(separator: ":", omittingEmptySubsequences: false).prefix(3).joined(separator: ":")
                + "::/48"
        }
        guard address.utf8.count(where: { $0 == UInt8(ascii: ".") }) == 3, let last = address.utf8.lastIndex(of: 46)
        else {
            return ""
        }
        return address[..<last] + ".0/24"
    }
}
