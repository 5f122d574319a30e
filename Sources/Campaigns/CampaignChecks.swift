import Core
import Markup
import Messaging
import Templates
import Web

/// Something that was looked at before sending.
package struct CampaignCheck: Sendable, Equatable {
    package enum Level: String, Sendable {
        /// Must be put right before sending.
        case blocker
        case warning
        case passed
    }

    /// Stable, for API clients.
    package let code: String
    package let level: Level
    package let title: String
    package let detail: String
    /// Where to put it right, when that is another page.
    package let remedy: Remedy?

    package struct Remedy: Sendable, Equatable {
        package let label: String
        package let href: String
    }

    init(code: String, level: Level, title: String, detail: String, remedy: Remedy? = nil) {
        self.code = code
        self.level = level
        self.title = title
        self.detail = detail
        self.remedy = remedy
    }

    static func blocker(_ code: String, _ title: String, _ detail: String) -> CampaignCheck {
        CampaignCheck(code: code, level: .blocker, title: title, detail: detail)
    }

    static func warning(_ code: String, _ title: String, _ detail: String) -> CampaignCheck {
        CampaignCheck(code: code, level: .warning, title: title, detail: detail)
    }

    static func passed(_ code: String, _ title: String) -> CampaignCheck {
        CampaignCheck(code: code, level: .passed, title: title, detail: "")
    }
}

/// The checks before sending: pure, from what the campaign says and what would be sent.
enum CampaignChecks {
    /// Inboxes show about this many characters of a subject.
    static let shownSubject = 60
    /// Gmail cuts longer HTML off.
    static let clippedSize = 102 * 1024
    static let warnedSize = 80 * 1024

    /// - Parameter gaps: segments that are not complete. While one is being filled nothing is said of how many will get it.
    static func basics(
        _ content: CampaignContent, forecast: AudienceForecast, gaps: [AudienceGap] = [], asker: CampaignAsker = .person
    ) -> [CampaignCheck] {
        let isFilling: Bool = gaps.contains { $0.cause == .filling }
        let people: [CampaignCheck] = isFilling ? [] : [audience(content, forecast)]
        return people + segments(gaps, asker: asker)
            + [subject(content.subject), previewText(content), body(content)]
    }

    private static func audience(_ content: CampaignContent, _ forecast: AudienceForecast) -> CampaignCheck {
        if content.audience.listIds.isEmpty {
            return .blocker("no_audience", "Nobody is chosen", "Choose at least one list.")
        }
        if forecast.recipients == 0 {
            return .blocker("empty_audience", "Nobody would get it", "Nobody on the chosen lists can be sent to.")
        }
        return .passed(
            "audience", "\(NumberWords.counted(forecast.recipients, "person", "people")) will get it")
    }

    // MARK: Segments

    /// The check that waiting puts right.
    static let filling = "segment_filling"

    /// A segment that is being filled keeps people from sending: nobody could say how many would get it. What a program
    /// sends waits for it.
    static func segments(_ gaps: [AudienceGap], asker: CampaignAsker) -> [CampaignCheck] {
        gaps.map { gap in
            switch gap.cause {
            case .filling:
                CampaignCheck(
                    code: filling, level: asker == .person ? .blocker : .warning,
                    title: "The segment “\(gap.name)” is being filled",
                    detail:
                        "The portal looks at everybody for it. Until that is done nobody knows how many will get it.")
            case .broken(let problem):
                CampaignCheck(
                    code: "segment_broken", level: .blocker, title: "The segment “\(gap.name)” is not kept any more",
                    detail: problem, remedy: .init(label: "Mend the rule", href: "/segments/\(gap.list)/edit"))
            }
        }
    }

    private static func subject(_ subject: String) -> CampaignCheck {
        if subject.isEmpty { return .blocker("no_subject", "The subject is empty", "Write what the e-mail is about.") }
        if subject.count > shownSubject, !subject.contains("{{") {
            return .warning(
                "long_subject", "The subject is long",
                "It has \(subject.count) characters. Most inboxes show about \(shownSubject).")
        }
        return .passed("subject", "The subject is set")
    }

    private static func previewText(_ content: CampaignContent) -> CampaignCheck {
        if content.previewText.isEmpty {
            return .warning(
                "no_preview_text", "There is no preview text",
                "Inboxes show it after the subject. Without it they show the first words of the e-mail.")
        }
        if content.previewText == content.subject {
            return .warning("same_preview_text", "The preview text repeats the subject", "Say something else in it.")
        }
        return .passed("preview_text", "The preview text is set")
    }

    private static func body(_ content: CampaignContent) -> CampaignCheck {
        let hasBody: Bool = content.html.contains { !$0.isWhitespace }
        return hasBody
            ? .passed("body", "The e-mail has text") : .blocker("no_body", "The e-mail is empty", "Write something.")
    }

    // MARK: The message

    /// - Parameters:
    ///   - content: what would be sent.
    ///   - source: what the author wrote.
    ///   - address: the check of the postal address, from `PostalAddressCheck`.
    ///   - properties: the names of contacts' properties.
    static func message(
        _ content: SendContent, source: CampaignContent, address: CampaignCheck, properties: Set<String>
    ) throws -> [CampaignCheck] {
        let written: String =
            source.bodyMode == .markdown ? try Markdown.toHTML(source.html) : source.html
        let discovered: LinkDiscovery = try LinkDiscovery.discover(written)
        return [
            unsubscribe(discovered), address, links(discovered), images(discovered),
            size(content.email.html.utf8.count + content.email.links.count * 220),
            try variables(content, properties: properties),
        ]
    }

    private static func unsubscribe(_ discovered: LinkDiscovery) -> CampaignCheck {
        discovered.links.contains { $0.purpose == .unsubscribe }
            ? .passed("unsubscribe", "There is a link to unsubscribe")
            : .passed("unsubscribe_added", "A link to unsubscribe is added at the end")
    }

    private static func links(_ discovered: LinkDiscovery) -> CampaignCheck {
        var problems: [String] = []
        for link in discovered.links {
            let label: String = link.text.isEmpty ? "A link without text" : "“\(link.text.prefix(40))”"
            switch link.kind {
            case .empty: problems.append("\(label) leads nowhere")
            case .relative: problems.append("\(label) leads to \(link.href.prefix(60)), which only works on a website")
            case .other: problems.append("\(label) has an address that mail programs do not open")
            case .http where !link.href.contains("{{") && !LinkSafety.isFollowable(link.href):
                problems.append("\(label) has an address that cannot work: \(link.href.prefix(60))")
            case .http, .mailto, .tel, .anchor, .liquid: break
            }
        }
        if problems.isEmpty {
            let count: Int = discovered.links.count
            return .passed("links", count == 0 ? "There are no links to check" : "All \(count) links have an address")
        }
        return .warning("dead_links", "Some links do not work", problems.joined(separator: ". ") + ".")
    }

    private static func images(_ discovered: LinkDiscovery) -> CampaignCheck {
        let bare: Int = discovered.images.filter { $0.alternative == nil }.count
        if bare > 0 {
            return .warning(
                "missing_alt", "\(bare) \(bare == 1 ? "picture has" : "pictures have") no alternative text",
                "People who cannot see pictures, or have them switched off, read it instead.")
        }
        return .passed("images", "Pictures have alternative texts")
    }

    static func size(_ bytes: Int) -> CampaignCheck {
        let kilobytes: Int = (bytes + 1023) / 1024
        if bytes > clippedSize {
            return .warning(
                "too_large", "The e-mail is too large: \(kilobytes) KB",
                "Gmail cuts e-mails off at 102 KB, and the end with the unsubscribe link is not shown.")
        }
        if bytes > warnedSize {
            return .warning("large", "The e-mail is large: \(kilobytes) KB", "Gmail cuts e-mails off at 102 KB.")
        }
        return .passed("size", "The size is fine: \(kilobytes) KB")
    }

    private static func variables(_ content: SendContent, properties: Set<String>) throws -> CampaignCheck {
        var unknown: [String] = []
        for (text, mode) in [(content.email.subject, LiquidMode.text), (content.email.html, .html)] {
            for use in try LiquidTemplate(text, mode: mode).variablePaths
            where !MergeFields.isKnown(use.path, properties: properties) && !unknown.contains(use.path) {
                unknown.append(use.path)
            }
        }
        if unknown.isEmpty { return .passed("variables", "All personalisation is known") }
        return .warning(
            "unknown_variables", "Some personalisation is unknown and stays empty",
            unknown.prefix(10).joined(separator: ", "))
    }
}
