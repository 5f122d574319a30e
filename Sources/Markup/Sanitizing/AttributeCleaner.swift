/// Keeps the attributes that a policy names, with values that can do no harm.
struct AttributeCleaner: Sendable {
    private let policy: SanitizerPolicy
    private let liquid: LiquidMarks

    init(policy: SanitizerPolicy, liquid: LiquidMarks) {
        self.policy = policy
        self.liquid = liquid
    }

    func clean(_ element: HTMLElement) -> [HTMLAttribute] {
        let own = policy.attributes[element.name] ?? []
        var kept: [HTMLAttribute] = []
        for attribute in element.attributes {
            if attribute.name.unicodeScalars.first == LiquidMarks.opening {
                kept.append(attribute)
            } else if own.contains(attribute.name) || policy.globalAttributes.contains(attribute.name),
                let value = value(of: attribute, on: element.name)
            {
                kept.append(HTMLAttribute(attribute.name, value))
            }
        }
        return element.name == "a" ? guarded(kept) : kept
    }

    private func value(of attribute: HTMLAttribute, on element: String) -> String? {
        switch attribute.name {
        case "href": URLPolicy.link.cleaned(attribute.value, liquid: liquid)
        case "src", "background": URLPolicy.image.cleaned(attribute.value, liquid: liquid)
        case "style": style(attribute.value)
        case "target": "_blank"
        case "id", "name": isName(attribute.value) ? attribute.value : nil
        case "type" where element == "style": attribute.value.lowercased() == "text/css" ? "text/css" : nil
        case "media" where element == "style": CSSPolicy.isMediaQuery(attribute.value) ? attribute.value : nil
        case "data-track": attribute.value == "off" ? "off" : nil
        default: attribute.value
        }
    }

    private func style(_ text: String) -> String? {
        let declarations = CSSPolicy(liquid: liquid).cleaned(CSSDeclaration.list(text))
        return declarations.isEmpty ? nil : declarations.styleText
    }

    /// A letter, then letters, digits, `-`, `_`, `.`, `:`: nothing that could shadow a property of the page's scripts by an odd name.
    private func isName(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, first.properties.isAlphabetic, text.utf8.count <= 100 else {
            return false
        }
        return text.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || ("0"..."9").contains($0) || "-_.:".unicodeScalars.contains($0)
        }
    }

    private func guarded(_ attributes: [HTMLAttribute]) -> [HTMLAttribute] {
        guard policy.guardsOpener, attributes.contains(where: { $0.name == "target" }) else { return attributes }
        return attributes.filter { $0.name != "rel" } + [HTMLAttribute("rel", "noopener noreferrer")]
    }
}
