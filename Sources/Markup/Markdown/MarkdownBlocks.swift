/// Reads the blocks of a text.
struct MarkdownBlocks {
    let liquid: LiquidMarks
    let maximumDepth: Int
    private var output = ""

    init(liquid: LiquidMarks, maximumDepth: Int) {
        self.liquid = liquid
        self.maximumDepth = maximumDepth
    }

    /// The HTML of some lines. In a tight list paragraphs have no `<p>`.
    mutating func html(of lines: ArraySlice<String>, depth: Int, isTight: Bool) -> String {
        let outer = output
        output = ""
        var rest = lines
        while let line = rest.first {
            if line.allSatisfy({ $0 == " " }) {
                rest.removeFirst()
            } else if !takeLeaf(&rest) {
                takeContainerOrParagraph(&rest, depth: depth, isTight: isTight)
            }
        }
        let html = output
        output = outer
        return html
    }

    private func inline(_ text: String) -> String {
        MarkdownInlines.html(of: text)
    }

    // MARK: Leaves

    private mutating func takeLeaf(_ rest: inout ArraySlice<String>) -> Bool {
        guard let line = rest.first else { return false }
        let text = line.trimmed
        if let heading = MarkdownLine.heading(text) {
            rest.removeFirst()
            output += "<h\(heading.level)>\(inline(heading.text))</h\(heading.level)>\n"
        } else if MarkdownLine.isRule(text) {
            rest.removeFirst()
            output += "<hr>\n"
        } else if let fence = MarkdownLine.fence(text) {
            rest.removeFirst()
            takeCode(&rest, fence: fence, indent: MarkdownLine.indent(of: line))
        } else if MarkdownLine.isHTML(text) || isLiquidOnly(text) {
            takeRaw(&rest)
        } else {
            return false
        }
        return true
    }

    /// Lines with nothing but Liquid branches are no paragraphs.
    private func isLiquidOnly(_ text: String) -> Bool {
        liquid.pieces(of: text).allSatisfy { piece in
            switch piece {
            case .text(let text): text.allSatisfy(\.isWhitespace)
            case .tag(let tag, _): tag.isControl
            }
        }
    }

    private mutating func takeCode(_ rest: inout ArraySlice<String>, fence: String, indent: Int) {
        var code = ""
        while let line = rest.popFirst() {
            let text = line.trimmed
            if text.hasPrefix(fence), text.allSatisfy({ $0 == fence.first }) { break }
            code += line.dropFirst(min(indent, MarkdownLine.indent(of: line))) + "\n"
        }
        output += "<pre><code>" + HTMLSerializer.escaped(code, inAttribute: false) + "</code></pre>\n"
    }

    private mutating func takeRaw(_ rest: inout ArraySlice<String>) {
        let isLiquid = rest.first.map { isLiquidOnly($0.trimmed) } ?? false
        while let line = rest.first, !line.trimmed.isEmpty {
            rest.removeFirst()
            output += line + "\n"
            if isLiquid { return }
        }
    }

    // MARK: Containers

    private mutating func takeContainerOrParagraph(_ rest: inout ArraySlice<String>, depth: Int, isTight: Bool) {
        guard let line = rest.first, depth < maximumDepth else {
            takeParagraph(&rest, isTight: isTight)
            return
        }
        if line.trimmed.hasPrefix(">") {
            takeQuote(&rest, depth: depth)
        } else if let item = MarkdownLine.listItem(line) {
            takeList(&rest, first: item, depth: depth)
        } else {
            takeParagraph(&rest, isTight: isTight)
        }
    }

    private mutating func takeQuote(_ rest: inout ArraySlice<String>, depth: Int) {
        var inside: [String] = []
        while let line = rest.first, !line.trimmed.isEmpty {
            let text = line.trimmed
            guard text.hasPrefix(">") || !MarkdownLine.interruptsParagraph(line) else { break }
            rest.removeFirst()
            inside.append(text.hasPrefix(">") ? String(text.dropFirst(text.hasPrefix("> ") ? 2 : 1)) : text)
        }
        let body = html(of: inside[...], depth: depth + 1, isTight: false)
        output += "<blockquote>\n" + body + "</blockquote>\n"
    }

    private mutating func takeList(_ rest: inout ArraySlice<String>, first: MarkdownLine.ListItem, depth: Int) {
        var items: [[String]] = []
        var isTight = true
        while let line = rest.first, let item = MarkdownLine.listItem(line), item.kind == first.kind,
            !MarkdownLine.isRule(line.trimmed)
        {
            rest.removeFirst()
            var lines = [String(line.dropFirst(item.width))]
            var endedBlank = false
            while let next = rest.first {
                if next.trimmed.isEmpty {
                    lines.append("")
                    endedBlank = true
                } else if MarkdownLine.indent(of: next) >= item.width {
                    if endedBlank { isTight = false }
                    lines.append(String(next.dropFirst(item.width)))
                    endedBlank = false
                } else if !endedBlank, MarkdownLine.listItem(next) == nil, !MarkdownLine.interruptsParagraph(next) {
                    lines.append(next.trimmed)
                } else {
                    break
                }
                rest.removeFirst()
            }
            while lines.count > 1, lines.last?.isEmpty == true { lines.removeLast() }
            items.append(lines)
            if endedBlank, let next = rest.first, MarkdownLine.listItem(next)?.kind == first.kind { isTight = false }
        }
        writeList(items, first: first, depth: depth, isTight: isTight)
    }

    private mutating func writeList(_ items: [[String]], first: MarkdownLine.ListItem, depth: Int, isTight: Bool) {
        let name = first.number == nil ? "ul" : "ol"
        let start = first.number.map { $0 == 1 ? "" : " start=\"\($0)\"" } ?? ""
        output += "<\(name)\(start)>\n"
        for lines in items {
            let body = html(of: lines[...], depth: depth + 1, isTight: isTight)
            output += "<li>" + (isTight ? body.trimmed : "\n" + body) + "</li>\n"
        }
        output += "</\(name)>\n"
    }

    private mutating func takeParagraph(_ rest: inout ArraySlice<String>, isTight: Bool) {
        var lines: [String] = []
        while let line = rest.first, !line.trimmed.isEmpty {
            if !lines.isEmpty, let level = MarkdownLine.underline(line.trimmed) {
                rest.removeFirst()
                output += "<h\(level)>\(inline(lines.joined(separator: "\n").trimmed))</h\(level)>\n"
                return
            }
            if !lines.isEmpty, MarkdownLine.interruptsParagraph(line) { break }
            lines.append(String(line.drop { $0 == " " }))
            rest.removeFirst()
        }
        let text = inline(lines.joined(separator: "\n").trimmed)
        output += isTight ? text + "\n" : "<p>" + text + "</p>\n"
    }
}
