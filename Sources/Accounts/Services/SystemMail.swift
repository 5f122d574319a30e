import Core
import Jobs

/// A letter from the portal itself to somebody who works with it: plain words and at most one button.
package struct SystemMail: Codable, Sendable, Equatable {
    package let subject: String
    package let heading: String
    package let message: String
    package let actionLabel: String?
    package let actionHref: String?

    package init(
        subject: String, heading: String, message: String, actionLabel: String? = nil, actionHref: String? = nil
    ) {
        self.subject = subject
        self.heading = heading
        self.message = message
        self.actionLabel = actionLabel
        self.actionHref = actionHref
    }

    static func passwordReset(name: String, href: String) -> SystemMail {
        SystemMail(
            subject: "Reset your password", heading: "Hello \(name)",
            message:
                "Somebody, probably you, asked to reset the password of your account. The link below is good once, "
                + "for an hour. If it was not you, ignore this letter: nothing has changed.",
            actionLabel: "Choose a new password", actionHref: href)
    }

    static func invitation(inviter: String, workspace: String, role: Role, href: String) -> SystemMail {
        SystemMail(
            subject: "\(inviter) invites you to \(workspace)", heading: "You are invited",
            message: "\(inviter) would like you to join the workspace “\(workspace)” as \(role.rawValue). "
                + "The link below is good for seven days.",
            actionLabel: "Accept the invitation", actionHref: href)
    }
}

/// Sends a system letter. How is the business of a higher floor: `Portal` registers what this job does.
package struct DeliverSystemMail: Job {
    package static let kind = "accounts.mail"
    package static let lane: JobLane = .transactional

    package let to: String
    package let mail: SystemMail

    package init(to: String, mail: SystemMail) {
        self.to = to
        self.mail = mail
    }
}
