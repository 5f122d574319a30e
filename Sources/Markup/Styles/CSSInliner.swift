/// Moves the rules of `<style>` into `style` attributes, for mail programs that drop style sheets.
///
/// Media queries, pseudo-classes and sheets with Liquid between their rules stay where they are. An element's own style
/// wins over every rule, as in a browser. `!important` is dropped on the way in: it would beat the media queries.
package enum CSSInliner {
    private struct InlineRule {
        let selector: CSSSelector
        let declarations: [CSSDeclaration]
    }

    /// A declaration with what decides who wins: importance, then specificity, then order.
    private struct Candidate {
        let declaration: CSSDeclaration
        let rank: (important: Int, own: Int, ids: Int, classes: Int, types: Int, order: Int)
    }

    /// HTML with its styles inlined.
    package static func inline(_ html: String, limits: MarkupLimits = .standard) throws(MarkupError) -> String {
        inline(try HTMLDocument.parse(html, limits: limits, liquid: true)).html
    }

    package static func inline(_ document: HTMLDocument) -> HTMLDocument {
        var document = document
        var rules: [InlineRule] = []
        document.roots = takeRules(from: document.roots, into: &rules)
        guard !rules.isEmpty else { return document }
        document.roots.transform { element, ancestors in
            guard !unstyled.contains(element.name) else { return }
            apply(rules, to: &element, ancestors: ancestors)
        }
        return document
    }

    private static let unstyled: Set<String> = ["html", "head", "title", "meta", "style", "br", "col", "colgroup"]

    /// The tree without the rules that can be inlined; style elements that become empty go.
    private static func takeRules(from nodes: [HTMLNode], into rules: inout [InlineRule]) -> [HTMLNode] {
        var result: [HTMLNode] = []
        for node in nodes {
            guard case .element(var element) = node else {
                result.append(node)
                continue
            }
            guard element.name == "style" else {
                element.children = takeRules(from: element.children, into: &rules)
                result.append(.element(element))
                continue
            }
            let text = remainder(of: element, rules: &rules)
            guard !text.isEmpty else { continue }
            element.children = [.text(text)]
            result.append(.element(element))
        }
        return result
    }

    private static func remainder(of element: HTMLElement, rules: inout [InlineRule]) -> String {
        let source = HTMLSerializer.styleText(of: element)
        let sheet = CSSStylesheet.parse(source)
        let isConditional = sheet.items.contains { if case .liquid = $0 { true } else { false } }
        if isConditional || element["media"] != nil { return source }
        var kept: [CSSItem] = []
        for item in sheet.items {
            guard case .rule(let rule) = item else {
                kept.append(item)
                continue
            }
            var others: [String] = []
            for text in rule.selectors {
                if let selector = CSSSelector(text) {
                    rules.append(InlineRule(selector: selector, declarations: rule.declarations))
                } else {
                    others.append(text)
                }
            }
            if !others.isEmpty { kept.append(.rule(CSSRule(selectors: others, declarations: rule.declarations))) }
        }
        return CSSStylesheet(items: kept).text
    }

    private static func apply(_ rules: [InlineRule], to element: inout HTMLElement, ancestors: [HTMLElement]) {
        var candidates: [Candidate] = []
        for rule in rules where rule.selector.matches(element, ancestors: ancestors) {
            let specificity = rule.selector.specificity
            for declaration in rule.declarations {
                let rank = (
                    important: declaration.isImportant ? 1 : 0, own: 0, ids: specificity.ids,
                    classes: specificity.classes, types: specificity.types, order: candidates.count
                )
                candidates.append(Candidate(declaration: declaration, rank: rank))
            }
        }
        guard !candidates.isEmpty else { return }
        for declaration in CSSDeclaration.list(element["style"] ?? "") {
            let rank = (
                important: declaration.isImportant ? 1 : 0, own: 1, ids: 0, classes: 0, types: 0,
                order: candidates.count
            )
            candidates.append(Candidate(declaration: declaration, rank: rank))
        }
        candidates.sort { $0.rank < $1.rank }
        element["style"] = merged(candidates.map(\.declaration)).styleText
    }

    /// The winner of each property, in the order in which they must be read so that shorthands do not undo longhands.
    private static func merged(_ declarations: [CSSDeclaration]) -> [CSSDeclaration] {
        var result: [CSSDeclaration] = []
        for declaration in declarations {
            if declaration.prefix.isEmpty, !declaration.value.unicodeScalars.contains(LiquidMarks.opening) {
                result.removeAll { $0.property == declaration.property && $0.prefix.isEmpty }
            }
            result.append(
                CSSDeclaration(declaration.property, declaration.value, prefix: declaration.prefix))
        }
        return result
    }
}
