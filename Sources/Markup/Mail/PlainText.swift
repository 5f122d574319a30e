/// The text version of an e-mail: what a person would type from the HTML.
///
/// Headings are underlined, lists keep their bullets and numbers, links become `text <address>`, tables become lines,
/// hidden parts (the preview text) are left out. Lines end near 78 characters; addresses and Liquid are never broken.
package enum PlainText {
    package static func from(
        _ html: String, width: Int = 78, limits: MarkupLimits = .standard
    ) throws(MarkupError) -> String {
        from(try HTMLDocument.parse(html, limits: limits, liquid: true), width: width)
    }

    package static func from(_ document: HTMLDocument, width: Int = 78) -> String {
        var writer = PlainTextWriter(liquid: document.liquid, width: width)
        writer.write(document.roots)
        return document.restored(writer.finish())
    }
}

/// Collects the words of a paragraph and writes it when it ends.
private struct PlainTextWriter {
    private let liquid: LiquidMarks
    private let width: Int
    private var lines: [String] = []
    private var paragraph = ""
    /// What begins the next line (a bullet) and what begins every line (quotes, the space under a bullet).
    private var bullet: String?
    private var indent = ""
    private var wantsBlankLine = false
    /// Liquid branches that wait for the next line.
    private var branches = ""
    private var isPreformatted = false

    init(liquid: LiquidMarks, width: Int) {
        self.liquid = liquid
        self.width = width
    }

    mutating func finish() -> String {
        endParagraph()
        if !branches.isEmpty { lines.append(branches) }
        return lines.isEmpty ? "" : lines.joined(separator: "\n") + "\n"
    }

    mutating func write(_ nodes: [HTMLNode]) {
        for node in nodes {
            switch node {
            case .text(let text): write(text: text)
            case .element(let element): write(element)
            case .comment: break
            }
        }
    }

    private mutating func write(text: String) {
        if isPreformatted {
            paragraph += text
            return
        }
        // White space between blocks is nothing; between words it is one space.
        let words = text.split { $0.isWhitespace && $0 != "\u{A0}" }.map {
            $0.replacing("\u{200C}", with: "").replacing("\u{AD}", with: "")
        }
        let joined = words.map { $0.replacing("\u{A0}", with: " ") }.joined(separator: " ")
        if text.first?.isWhitespace == true || joined.isEmpty { addSpace() }
        paragraph += joined
        if !joined.isEmpty, text.last?.isWhitespace == true { addSpace() }
    }

    private mutating func addSpace() {
        if !paragraph.isEmpty, paragraph.last != " ", paragraph.last != "\n" { paragraph += " " }
    }

    private mutating func write(_ element: HTMLElement) {
        guard !isHidden(element) else { return }
        switch element.name {
        case "head", "style", "script", "title": break
        case "br": paragraph += "\n"
        case "hr":
            block { writer in
                writer.beginParagraph()
                writer.lines.append(writer.indent + String(repeating: "-", count: min(40, writer.width)))
            }
        case "img": write(text: element["alt"] ?? "")
        case "a": writeLink(element)
        case "h1", "h2", "h3", "h4", "h5", "h6": writeHeading(element)
        case "ul", "ol": writeList(element)
        case "blockquote": indented(by: "> ") { $0.write(element.children) }
        case "pre": writePreformatted(element)
        case "table": writeTable(element)
        case "p", "dl", "figure", "address", "section", "article", "header", "footer", "main", "nav":
            block { $0.write(element.children) }
        case "div", "center", "dt", "dd", "li", "figcaption", "caption", "tr":
            endParagraph()
            write(element.children)
            endParagraph()
        default: write(element.children)
        }
    }

    private func isHidden(_ element: HTMLElement) -> Bool {
        guard let style = element["style"] else { return false }
        return CSSDeclaration.list(style).contains {
            $0.property == "display" && $0.value.lowercased() == "none"
                || $0.property == "mso-hide" && $0.value == "all"
        }
    }

    private mutating func writeLink(_ element: HTMLElement) {
        let before = paragraph
        paragraph = ""
        write(element.children)
        let text = paragraph.trimmed
        let space = before.isEmpty || before.last == " " || before.last == "\n" || paragraph.first != " " ? "" : " "
        let href = (element["href"] ?? "").trimmed
        let address = href.lowercased().hasPrefix("mailto:") ? String(href.dropFirst(7).prefix { $0 != "?" }) : href
        let isShown = !address.isEmpty && !address.hasPrefix("#") && address != text && href != text
        let words = text.isEmpty ? address : isShown ? text + " <" + address.replacing(" ", with: "%20") + ">" : text
        paragraph = before + space + words
    }

    private mutating func writeHeading(_ element: HTMLElement) {
        block { writer in
            let first = writer.lines.count
            writer.write(element.children)
            writer.endParagraph()
            guard writer.lines.count > first, element.name == "h1" || element.name == "h2" else { return }
            let longest = writer.lines[first...].map { writer.length(of: $0) - writer.indent.count }.max() ?? 0
            let rule = String(repeating: element.name == "h1" ? "=" : "-", count: max(3, min(longest, writer.width)))
            writer.lines.append(writer.indent + rule)
        }
    }

    private mutating func writeList(_ element: HTMLElement) {
        let isInside = !indent.isEmpty || bullet != nil
        endParagraph()
        if !isInside { wantsBlankLine = !lines.isEmpty }
        var number = Int(element["start"] ?? "") ?? 1
        for child in element.children {
            guard case .element(let item) = child else {
                if case .text(let text) = child { write(text: text) }
                continue
            }
            endParagraph()
            let mark = element.name == "ol" ? "\(number). " : "- "
            number += 1
            indented(by: String(repeating: " ", count: mark.count), bullet: mark) { $0.write(item.children) }
            wantsBlankLine = false
        }
        endParagraph()
        wantsBlankLine = !isInside
    }

    private mutating func writePreformatted(_ element: HTMLElement) {
        block { writer in
            writer.isPreformatted = true
            writer.write(element.children)
            let text = writer.paragraph
            writer.paragraph = ""
            writer.isPreformatted = false
            writer.beginParagraph()
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                writer.lines.append(writer.indent + line)
            }
        }
    }

    // MARK: Tables

    /// A table for layout reads as its cells, one after the other; one with data has a line for each row.
    private mutating func writeTable(_ element: HTMLElement) {
        endParagraph()
        let isLayout = element["role"] == "presentation" || hasBlocks(element.children)
        if !isLayout { wantsBlankLine = !lines.isEmpty }
        writeRows(element.children, isLayout: isLayout)
        if !isLayout {
            endParagraph()
            wantsBlankLine = true
        }
    }

    private mutating func writeRows(_ nodes: [HTMLNode], isLayout: Bool) {
        for node in nodes {
            switch node {
            case .element(let element) where element.name == "tr":
                endParagraph()
                writeCells(element.children, isLayout: isLayout)
                endParagraph()
            case .element(let element) where ["thead", "tbody", "tfoot"].contains(element.name):
                writeRows(element.children, isLayout: isLayout)
            case .element(let element): write(element)
            case .text(let text): write(text: text.trimmed)
            case .comment: break
            }
        }
    }

    private mutating func writeCells(_ nodes: [HTMLNode], isLayout: Bool) {
        var isFirst = true
        for node in nodes {
            guard case .element(let cell) = node, cell.name == "td" || cell.name == "th" else {
                if case .text(let text) = node { write(text: text.trimmed) }
                continue
            }
            if isLayout {
                endParagraph()
                write(cell.children)
                endParagraph()
            } else {
                if !isFirst { paragraph = paragraph.trimmed + " | " }
                write(cell.children)
            }
            isFirst = false
        }
    }

    private func hasBlocks(_ nodes: [HTMLNode]) -> Bool {
        let blocks: Set<String> = ["table", "p", "div", "h1", "h2", "h3", "h4", "ul", "ol", "blockquote", "hr"]
        var found = false
        nodes.walk { element, _ in if blocks.contains(element.name) { found = true } }
        return found
    }

    // MARK: Paragraphs

    /// A block with blank lines around it.
    private mutating func block(_ body: (inout PlainTextWriter) -> Void) {
        endParagraph()
        if bullet == nil { wantsBlankLine = !lines.isEmpty }
        body(&self)
        endParagraph()
        wantsBlankLine = true
    }

    private mutating func indented(by prefix: String, bullet: String? = nil, _ body: (inout PlainTextWriter) -> Void) {
        endParagraph()
        if bullet == nil { wantsBlankLine = !lines.isEmpty }
        let (outerIndent, outerBullet) = (indent, self.bullet)
        self.bullet = bullet.map { outerIndent + $0 }
        indent += prefix
        body(&self)
        endParagraph()
        indent = outerIndent
        self.bullet = outerBullet
        wantsBlankLine = true
    }

    /// Liquid branches alone in a paragraph wait for the line that follows, so that a loop over rows gives rows.
    private mutating func endParagraph() {
        let text = paragraph.trimmed
        paragraph = ""
        guard !text.isEmpty else { return }
        guard !isBranchesOnly(text) else {
            branches += text.filter { !$0.isWhitespace }
            return
        }
        beginParagraph()
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) { wrap(line) }
    }

    /// The blank line before a paragraph. Waiting branches take its place: nothing is left of them but their line's end.
    private mutating func beginParagraph() {
        guard wantsBlankLine, !lines.isEmpty else { return }
        wantsBlankLine = false
        lines.append(
            branches.isEmpty && indent.hasPrefix(">") && lines.last?.hasPrefix(">") == true ? indent.trimmed : branches)
        branches = ""
    }

    private func isBranchesOnly(_ text: String) -> Bool {
        liquid.pieces(of: text).allSatisfy { piece in
            switch piece {
            case .text(let text): text.allSatisfy(\.isWhitespace)
            case .tag(let tag, _): tag.isControl
            }
        }
    }

    private mutating func wrap(_ text: Substring) {
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, indent.count + length(of: line) + 1 + length(of: String(word)) > width {
                append(line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " " + word
        }
        append(line)
    }

    /// Branches come before the bullet, so that a loop repeats it.
    private mutating func append(_ line: String) {
        let start = bullet ?? indent
        lines.append(branches + (line.isEmpty ? start.trimmed : start + line))
        bullet = nil
        branches = ""
    }

    /// The length of a text with its Liquid written out.
    private func length(of text: String) -> Int {
        text.unicodeScalars.contains(LiquidMarks.opening) ? liquid.restore(text).count : text.count
    }
}
