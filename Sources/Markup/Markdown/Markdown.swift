/// Markdown for people who write e-mails without an editor: headings, paragraphs, emphasis, links, pictures, lists, quotes,
/// code, rules and line breaks, as CommonMark 0.31 describes them. Indented code, reference links and tables are not read.
package enum Markdown {
    /// HTML of a text. Liquid stays; raw HTML passes through, so the result must go through ``HTMLSanitizer``.
    package static func toHTML(_ text: String, limits: MarkupLimits = .standard) throws(MarkupError) -> String {
        guard text.utf8.count <= limits.bytes else { throw .tooLarge(limit: limits.bytes) }
        var guardian = LiquidGuard(source: text, limits: limits, keepsLiquid: true)
        let marked = guardian.markedText().replacing("\r\n", with: "\n").replacing("\r", with: "\n")
        let lines = marked.split(separator: "\n", omittingEmptySubsequences: false).map { withoutTabs($0) }
        var blocks = MarkdownBlocks(liquid: guardian.marks, maximumDepth: min(limits.depth, 24))
        return guardian.marks.restore(blocks.html(of: lines[...], depth: 0, isTight: false))
    }

    /// Tabs at the beginning of a line reach to the next fourth column.
    private static func withoutTabs(_ line: Substring) -> String {
        guard line.contains("\t") else { return String(line) }
        var result = ""
        for (index, character) in zip(line.indices, line) {
            if character == "\t" {
                result += String(repeating: " ", count: 4 - result.count % 4)
            } else if character == " " {
                result.append(character)
            } else {
                return result + line[index...]
            }
        }
        return result
    }
}
