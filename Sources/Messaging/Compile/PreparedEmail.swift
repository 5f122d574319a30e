import Core

/// What the author wrote, and who it comes from: what an e-mail is made of before it is prepared.
package struct EmailDraft: Sendable, Equatable {
    package enum Format: String, Sendable {
        case rich, html, markdown
    }

    package var subject: String
    package var previewText: String
    package var format: Format
    package var body: String

    package init(subject: String, previewText: String = "", format: Format, body: String) {
        self.subject = subject
        self.previewText = previewText
        self.format = format
        self.body = body
    }
}

/// What an e-mail takes from its workspace.
package struct EmailFrame: Sendable, Equatable {
    package var workspaceName: String
    /// For the footer; empty when the workspace has none.
    package var postalAddress: String
    package var language: String
    package var tracksOpens: Bool
    package var tracksClicks: Bool

    package init(
        workspaceName: String, postalAddress: String, language: String = "en", tracksOpens: Bool = true,
        tracksClicks: Bool = true
    ) {
        self.workspaceName = workspaceName
        self.postalAddress = postalAddress
        self.language = language
        self.tracksOpens = tracksOpens
        self.tracksClicks = tracksClicks
    }
}

/// An e-mail after cleaning, wrapping and inlining: still Liquid, the same for everybody. It is kept with the send, so that
/// every message of it is made from the same text, whatever happens to the campaign or the portal meanwhile.
package struct PreparedEmail: Codable, Sendable, Equatable {
    package struct Link: Codable, Sendable, Equatable {
        /// The address, with Liquid when `isLiquid`.
        package let url: String
        package let isLiquid: Bool
    }

    package var subject: String
    /// HTML with slots for links, pixel and unsubscribe.
    package var html: String
    package var text: String
    package var links: [Link]
    package var workspaceName: String
    package var tracksOpens: Bool
    package var tracksClicks: Bool
}

/// Who a send comes from and how its headers name it.
package struct SendIdentity: Codable, Sendable, Equatable {
    package var fromName: String
    package var fromEmail: String
    package var replyTo: String?
    /// Where bounces go; nil: to the From address.
    package var bounceDomain: String?
    package var campaign: CampaignID?
    /// `List-ID`, without brackets.
    package var listID: String

    package init(
        fromName: String, fromEmail: String, replyTo: String? = nil, bounceDomain: String? = nil,
        campaign: CampaignID? = nil,
        listID: String
    ) {
        self.fromName = fromName
        self.fromEmail = fromEmail
        self.replyTo = replyTo
        self.bounceDomain = bounceDomain
        self.campaign = campaign
        self.listID = listID
    }
}

/// What is stored with a send.
package struct SendContent: Codable, Sendable, Equatable {
    package var email: PreparedEmail
    package var identity: SendIdentity

    package init(email: PreparedEmail, identity: SendIdentity) {
        self.email = email
        self.identity = identity
    }
}
