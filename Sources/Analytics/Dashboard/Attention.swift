import Accounts
import Core
import Templates
import Web

/// Something that a person should look at or decide.
struct AttentionItem: ViewRecord, Equatable {
    enum Level: String, Sendable { case warn, danger }

    /// A stable word for the JSON face: `uncertain_messages`.
    let code: String
    let level: Level
    let title: String
    let detail: String
    let action: String
    let href: String

    static let fields = Fields<AttentionItem> { f in
        f.text("level") { $0.level.rawValue }
        f.text("icon") { _ in "warning" }
        f.text("title") { $0.title }
        f.text("detail") { $0.detail }
        f.text("action") { $0.action }
        f.link("href") { $0.href }
    }
}

/// What needs attention in a workspace. Pure: from facts to words.
enum Attention {
    /// From here on a sender's good name suffers: mailbox providers act at these shares.
    static let bounceLimit = 0.05
    static let complaintLimit = 0.001
    /// Shares of fewer messages say nothing.
    static let fewest = 200

    static func items(
        _ facts: DashboardFacts, postalAddress: String, sendsForReal: Bool, month: MonthTotals
    ) -> [AttentionItem] {
        decisions(facts) + setup(facts, postalAddress: postalAddress, sendsForReal: sendsForReal)
            + reputation(facts, month: month) + imports(facts)
    }

    private static func decisions(_ facts: DashboardFacts) -> [AttentionItem] {
        facts.sends.flatMap { send in
            let name: String = send.name ?? "A send"
            var items: [AttentionItem] = []
            if send.uncertain > 0 {
                let messages: String = NumberWords.counted(send.uncertain, "message", "messages")
                items.append(
                    AttentionItem(
                        code: "uncertain_messages", level: .danger,
                        title:
                            "\(messages) of “\(name)” may have arrived",
                        detail: "The connection ended before the mail server answered. Decide whether to send again.",
                        action: "Decide", href: "/sends/\(send.id)/uncertain"))
            }
            if send.state == "paused" || (send.state == "sending" && send.notice != nil) {
                items.append(
                    AttentionItem(
                        code: send.state == "paused" ? "send_paused" : "send_waits", level: .warn,
                        title: send.state == "paused" ? "“\(name)” is paused" : "“\(name)” waits",
                        detail: send.notice ?? "It goes on when somebody resumes it.",
                        action: "Open", href: send.campaign.map { "/campaigns/\($0)" } ?? "/campaigns"))
            }
            return items
        }
    }

    private static func setup(_ facts: DashboardFacts, postalAddress: String, sendsForReal: Bool) -> [AttentionItem] {
        var items: [AttentionItem] = []
        if !sendsForReal {
            items.append(
                AttentionItem(
                    code: "no_sender", level: .warn, title: "E-mails go to the Outbox only",
                    detail: "No mail server is set up, so nobody outside the portal gets anything.",
                    action: "Set up sending", href: "/settings/email"))
        }
        if postalAddress.isEmpty {
            items.append(
                AttentionItem(
                    code: "no_postal_address", level: .warn, title: "The postal address is missing",
                    detail: "Many countries ask for one at the foot of every marketing e-mail.",
                    action: "Add it", href: "/settings"))
        }
        return items
    }

    private static func reputation(_ facts: DashboardFacts, month: MonthTotals) -> [AttentionItem] {
        var items: [AttentionItem] = []
        let bounces: Rate = month.bounceRate
        if bounces.base >= fewest, let share = bounces.share, share >= bounceLimit {
            items.append(
                AttentionItem(
                    code: "high_bounce_rate", level: .danger, title: "Many addresses bounce",
                    detail: "\(bounces.words) in the last 30 days. Providers act from 5\u{202F}% on: check where the "
                        + "addresses come from.",
                    action: "See them", href: "/suppressions"))
        }
        let complaints = Rate(count: facts.complaints, base: month.sent, baseName: "sent")
        if complaints.base >= fewest, let share = complaints.share, share >= complaintLimit {
            items.append(
                AttentionItem(
                    code: "high_complaint_rate", level: .danger, title: "Many people mark e-mails as spam",
                    detail: "\(complaints.words) in the last 30 days. Providers act from 0.1\u{202F}% on.",
                    action: "See them", href: "/suppressions"))
        }
        return items
    }

    private static func imports(_ facts: DashboardFacts) -> [AttentionItem] {
        facts.failedImports.map { file in
            AttentionItem(
                code: "import_failed", level: .warn, title: "The import of “\(file.fileName)” failed",
                detail: file.error ?? "It stopped before its end.", action: "Open",
                href: "/contacts/imports/\(file.id)")
        }
    }
}

/// The sends of the last 30 days, added up.
struct MonthTotals: Sendable, Equatable {
    let sent: Int
    let failed: Int
    let bounced: Int
    let opened: Int
    let clicked: Int

    /// - Parameter sends: those that began in the month.
    init(_ sends: [RecentSend]) {
        sent = sends.reduce(0) { $0 + $1.sent }
        failed = sends.reduce(0) { $0 + $1.failed }
        bounced = sends.reduce(0) { $0 + $1.bounced }
        opened = sends.reduce(0) { $0 + $1.opened }
        clicked = sends.reduce(0) { $0 + $1.clicked }
    }

    var openRate: Rate { Rate(count: opened, base: sent, baseName: "sent") }
    var clickRate: Rate { Rate(count: clicked, base: sent, baseName: "sent") }
    var bounceRate: Rate { Rate(count: bounced, base: sent + failed, baseName: "handed over") }
}
