/// What a line of Markdown begins.
enum MarkdownLine {
    struct ListItem: Equatable {
        /// `-`, `+`, `*`, `.` or `)`; another kind begins another list.
        let kind: Character
        let number: Int?
        /// Characters before the item's text.
        let width: Int
    }

    static func indent(of line: String) -> Int {
        line.prefix { $0 == " " }.count
    }

    static func heading(_ text: String) -> (level: Int, text: String)? {
        let level = text.prefix { $0 == "#" }.count
        let rest = text.dropFirst(level)
        guard (1...6).contains(level), rest.isEmpty || rest.first == " " else { return nil }
        var words = rest.trimmed
        let closing = words.reversed().prefix { $0 == "#" }.count
        if closing > 0, closing == words.count || words.dropLast(closing).last == " " {
            words = words.dropLast(closing).trimmed
        }
        return (level, words)
    }

    static func isRule(_ text: String) -> Bool {
        let marks = text.filter { $0 != " " }
        guard marks.count >= 3, let first = marks.first, "-*_".contains(first) else { return false }
        return marks.allSatisfy { $0 == first }
    }

    /// The level of the heading that a line of `=` or `-` makes of the paragraph above.
    static func underline(_ text: String) -> Int? {
        guard let first = text.first, first == "=" || first == "-", text.allSatisfy({ $0 == first }) else { return nil }
        return first == "=" ? 1 : 2
    }

    static func fence(_ text: String) -> String? {
        guard let first = text.first, first == "`" || first == "~" else { return nil }
        let fence = text.prefix { $0 == first }
        guard fence.count >= 3, first == "~" || !text.dropFirst(fence.count).contains("`") else { return nil }
        return String(fence)
    }

    /// A tag or a comment at the beginning of a line, but not an address in `<…>` or an element of a sentence.
    static func isHTML(_ text: String) -> Bool {
        guard text.first == "<" else { return false }
        let name = text.dropFirst().drop { $0 == "/" }.prefix { $0.isASCII && ($0.isLetter || $0.isNumber) }
            .lowercased()
        return text.hasPrefix("<!--") || blocks.contains(name)
    }

    private static let blocks: Set<String> = [
        "address", "article", "aside", "blockquote", "body", "center", "col", "colgroup", "dd", "div", "dl", "dt",
        "figcaption",
        "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html", "iframe", "img",
        "li",
        "link", "main", "meta", "nav", "ol", "p", "pre", "script", "section", "style", "table", "tbody", "td", "tfoot",
        "th",
        "thead", "title", "tr", "ul",
    ]

    static func listItem(_ line: String) -> ListItem? {
        let indent = indent(of: line)
        let text = line.dropFirst(indent)
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let mark = text.dropFirst(digits.count)
        guard indent < 4 || !digits.isEmpty || "-+*".contains(mark.first ?? " "), digits.count <= 9,
            let kind = mark.first
        else { return nil }
        guard digits.isEmpty ? "-+*".contains(kind) : ".)".contains(kind) else { return nil }
        let after = mark.dropFirst()
        guard after.isEmpty || after.first == " " else { return nil }
        let spaces = after.prefix { $0 == " " }.count
        let gap = spaces == 0 || spaces > 4 ? min(1, spaces) : spaces
        return ListItem(kind: kind, number: Int(digits), width: indent + digits.count + 1 + gap)
    }

    /// Lines that end a paragraph without a blank line between.
    static func interruptsParagraph(_ line: String) -> Bool {
        let text = line.trimmed
        if heading(text) != nil || isRule(text) || fence(text) != nil || text.hasPrefix(">") || isHTML(text) {
            return true
        }
        guard let item = listItem(line) else { return false }
        return item.number == nil || item.number == 1
    }
}
