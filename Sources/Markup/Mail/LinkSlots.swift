/// An e-mail's HTML whose links wait for their tracked addresses.
///
/// The HTML is still Liquid. Each trackable address is replaced by a *slot*, which Liquid carries through unchanged:
///
///     U+E000 <number> U+E001                      an address without Liquid; it is `links[number].href`
///     U+E000 <number> U+E002 <liquid> U+E001      an address with Liquid, to be rendered in place, so that it may use a
///                                                 loop's variables; what was rendered is the address, HTML-escaped
///     U+E000 u U+E001   U+E000 m U+E001           the recipient's unsubscribe and preferences addresses
///     U+E000 p U+E001                             where the open pixel may go, right after `<body …>`
///
/// These private-use characters cannot occur in cleaned HTML. After rendering, ``SlotSegments`` cuts the text at the slots;
/// mail without Liquid is cut once and each recipient's is a concatenation.
package struct SlottedHTML: Sendable, Equatable {
    package let html: String
    /// The links with slots, by number. Links to `mailto:`, `tel:`, anchors and those marked `data-track="off"` have none.
    package let links: [DiscoveredLink]
    /// The HTML has at least one link to unsubscribe.
    package let hasUnsubscribeLink: Bool
}

package enum LinkSlots {
    /// Prepares cleaned HTML. With `tracksLinks: false` only the unsubscribe, preferences and pixel slots are made.
    package static func prepare(
        _ html: String, tracksLinks: Bool = true, limits: MarkupLimits = .standard
    ) throws(MarkupError) -> SlottedHTML {
        var document = try HTMLDocument.parse(html, limits: limits, liquid: true)
        let liquid = document.liquid
        var links: [DiscoveredLink] = []
        var hasUnsubscribeLink = false
        var position = 0
        let slotted = document
        document.roots.transform { element, _ in
            guard element.name == "a", element["href"] != nil else { return }
            let link = LinkDiscovery.link(element, position: position, in: slotted)
            position += 1
            element["data-track"] = nil
            if link.purpose == .unsubscribe { hasUnsubscribeLink = true }
            if let purpose = link.purpose, isWholeOutput(element["href"] ?? "", liquid: liquid) {
                element["href"] = purpose == .unsubscribe ? "\u{E000}u\u{E001}" : "\u{E000}m\u{E001}"
            } else if link.isTrackable, tracksLinks {
                element["href"] = slot(links.count, address: element["href"] ?? "", liquid: liquid)
                links.append(link)
            }
        }
        placePixel(in: &document)
        return SlottedHTML(html: document.html, links: links, hasUnsubscribeLink: hasUnsubscribeLink)
    }

    private static func slot(_ number: Int, address: String, liquid: LiquidMarks) -> String {
        let hasLiquid = address.unicodeScalars.contains(LiquidMarks.opening)
        return hasLiquid ? "\u{E000}\(number)\u{E002}\(address.trimmed)\u{E001}" : "\u{E000}\(number)\u{E001}"
    }

    /// The address is one `{{ … }}` and nothing else.
    private static func isWholeOutput(_ href: String, liquid: LiquidMarks) -> Bool {
        let pieces = liquid.pieces(of: href.trimmed)
        guard pieces.count == 1, case .tag(let tag, _) = pieces[0] else { return false }
        return tag.isOutput
    }

    /// First in the body, or last in a fragment.
    private static func placePixel(in document: inout HTMLDocument) {
        let pixel = HTMLNode.text("\u{E000}p\u{E001}")
        var isPlaced = false
        document.roots.transform { element, _ in
            guard element.name == "body", !isPlaced else { return }
            element.children.insert(pixel, at: 0)
            isPlaced = true
        }
        if !isPlaced { document.roots.append(pixel) }
    }
}

/// What stands between two constant pieces of an e-mail.
package enum Slot: Sendable, Equatable {
    /// A link by number; `address` is what Liquid rendered (entities decoded), or nil when the link's own `href` holds.
    case link(Int, address: String?)
    case unsubscribe
    case preferences
    case pixel
}

/// Rendered HTML cut at its slots: piece 0, slot 0, piece 1, slot 1, …, last piece.
package struct SlotSegments: Sendable, Equatable {
    /// Always one more than ``slots``.
    package let segments: [[UInt8]]
    package let slots: [Slot]

    /// Cuts rendered HTML (UTF-8). Slots that are malformed or have a number of `linkCount` or more stay out of the text.
    package init(rendered: some Collection<UInt8>, linkCount: Int) {
        var segments: [[UInt8]] = []
        var slots: [Slot] = []
        var segment: [UInt8] = []
        let bytes = Array(rendered)
        var index = 0
        while index < bytes.count {
            guard Self.isMark(bytes, index, 0x80) else {
                segment.append(bytes[index])
                index += 1
                continue
            }
            var end = index + 3
            while end < bytes.count, !Self.isMark(bytes, end, 0x81), !Self.isMark(bytes, end, 0x80) { end += 1 }
            if Self.isMark(bytes, end, 0x81), let slot = Self.slot(bytes[(index + 3)..<end], linkCount: linkCount) {
                segments.append(segment)
                slots.append(slot)
                segment = []
                index = end + 3
            } else {
                index += 3
            }
        }
        segments.append(segment)
        self.segments = segments
        self.slots = slots
    }

    /// U+E000, U+E001 and U+E002 are EE 80 80, EE 80 81 and EE 80 82 in UTF-8.
    private static func isMark(_ bytes: [UInt8], _ index: Int, _ last: UInt8) -> Bool {
        index + 2 < bytes.count && bytes[index] == 0xEE && bytes[index + 1] == 0x80 && bytes[index + 2] == last
    }

    private static func slot(_ inside: ArraySlice<UInt8>, linkCount: Int) -> Slot? {
        switch String(decoding: inside.prefix(64), as: UTF8.self) {
        case "u": return .unsubscribe
        case "m": return .preferences
        case "p": return .pixel
        default: break
        }
        let digits = inside.prefix { $0 >= 48 && $0 <= 57 }
        guard let number = Int(String(decoding: digits, as: UTF8.self)), number < linkCount else { return nil }
        let rest = Array(inside.dropFirst(digits.count))
        if rest.isEmpty { return .link(number, address: nil) }
        guard isMark(rest, 0, 0x82) else { return nil }
        return .link(number, address: Self.decoded(String(decoding: rest.dropFirst(3), as: UTF8.self)))
    }

    /// The entities that our serializer and Liquid's `escape` write.
    private static func decoded(_ text: String) -> String {
        guard text.contains("&") else { return text }
        let entities = [
            ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#34;", "\""), ("&nbsp;", "\u{A0}"),
            ("&amp;", "&"),
        ]
        return entities.reduce(text) { $0.replacing($1.0, with: $1.1) }
    }
}
