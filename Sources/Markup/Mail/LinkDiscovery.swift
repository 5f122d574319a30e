/// What kind of address a link has.
package enum LinkKind: String, Sendable, Codable {
    case http
    case mailto
    case tel
    /// `#name`: a place in the same mail.
    case anchor
    /// Begins with a Liquid output: known only per recipient.
    case liquid
    /// No address, or only `#`.
    case empty
    /// Without a scheme and host (`/sale`): dead in a mail.
    case relative
    case other
}

/// A link of an e-mail.
package struct DiscoveredLink: Sendable, Equatable {
    /// The decoded address, with Liquid.
    package let href: String
    /// What the reader clicks on: the text, or the alternative text of the pictures inside.
    package let text: String
    /// 0 for the first link of the mail.
    package let position: Int
    package let kind: LinkKind
    /// Clicks on it may be measured: http(s) or Liquid, not marked `data-track="off"`, and not a link to unsubscribe.
    package let isTrackable: Bool
    /// Set when the link leads to unsubscribing or to the preferences.
    package let purpose: LinkPurpose?
}

/// Links that the sender provides.
package enum LinkPurpose: String, Sendable, Codable {
    case unsubscribe
    case preferences
}

/// A picture of an e-mail.
package struct DiscoveredImage: Sendable, Equatable {
    /// The decoded address, with Liquid; nil when there is none.
    package let source: String?
    /// Nil when the attribute is missing; empty for decoration.
    package let alternative: String?
    package let width: String?
    package let height: String?
    package let position: Int
}

/// Finds the links and pictures of HTML, for checks before sending.
package struct LinkDiscovery: Sendable, Equatable {
    package let links: [DiscoveredLink]
    package let images: [DiscoveredImage]

    package static func discover(_ html: String, limits: MarkupLimits = .standard) throws(MarkupError) -> LinkDiscovery
    {
        discover(try HTMLDocument.parse(html, limits: limits, liquid: true))
    }

    package static func discover(_ document: HTMLDocument) -> LinkDiscovery {
        var links: [DiscoveredLink] = []
        var images: [DiscoveredImage] = []
        document.walk { element, _ in
            if element.name == "a", element["href"] != nil || element["name"] == nil {
                links.append(link(element, position: links.count, in: document))
            } else if element.name == "img" {
                images.append(image(element, position: images.count, in: document))
            }
        }
        return LinkDiscovery(links: links, images: images)
    }

    static func link(_ element: HTMLElement, position: Int, in document: HTMLDocument) -> DiscoveredLink {
        let marked = (element["href"] ?? "").trimmed
        let kind = kind(of: marked, liquid: document.liquid)
        let purpose = purpose(of: marked, liquid: document.liquid)
        let isTrackable = (kind == .http || kind == .liquid) && purpose == nil && element["data-track"] != "off"
        return DiscoveredLink(
            href: document.restored(marked), text: document.restored(label(element)), position: position, kind: kind,
            isTrackable: isTrackable, purpose: purpose)
    }

    private static func image(_ element: HTMLElement, position: Int, in document: HTMLDocument) -> DiscoveredImage {
        DiscoveredImage(
            source: element["src"].map(document.restored), alternative: element["alt"].map(document.restored),
            width: element["width"], height: element["height"], position: position)
    }

    private static func label(_ element: HTMLElement) -> String {
        let text = element.readableText
        guard text.isEmpty else { return text }
        var alternatives: [String] = []
        element.children.walk { child, _ in
            if child.name == "img", let alternative = child["alt"], !alternative.isEmpty {
                alternatives.append(alternative)
            }
        }
        return alternatives.joined(separator: " ")
    }

    private static func kind(of href: String, liquid: LiquidMarks) -> LinkKind {
        let pieces = liquid.pieces(of: href).filter {
            if case .tag(let tag, _) = $0 { tag.isOutput } else { true }
        }
        guard let first = pieces.first, href != "#" else { return .empty }
        guard case .text(let text) = first else { return .liquid }
        let lower = text.lowercased()
        if lower.hasPrefix("http://") || lower.hasPrefix("https://") || lower.hasPrefix("//") { return .http }
        if lower.hasPrefix("mailto:") { return .mailto }
        if lower.hasPrefix("tel:") { return .tel }
        if lower.hasPrefix("#") { return .anchor }
        let head = lower.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        return head.contains(":") ? .other : .relative
    }

    /// A link to unsubscribe is Liquid (`{{ unsubscribe_url }}`) or an address of ours with that word in its path.
    private static func purpose(of href: String, liquid: LiquidMarks) -> LinkPurpose? {
        var words = ""
        for piece in liquid.pieces(of: href) {
            switch piece {
            case .tag(let tag, _): words += " " + tag.name.lowercased()
            case .text(let text): words += text.contains("/v1/public/") ? " " + text.lowercased() : ""
            }
        }
        if words.contains("unsubscribe") { return .unsubscribe }
        return words.contains("preferences") ? .preferences : nil
    }
}
