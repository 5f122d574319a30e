/// One mistake in a template, at a place that its author can find.
package struct TemplateError: Error, Hashable, Sendable {
    /// The file or snippet, where it has a name.
    package let name: String?
    /// Counted from 1.
    package let line: Int
    /// Counted from 1, in characters.
    package let column: Int
    package let message: String
    /// The text of that line, without its line break.
    package let sourceLine: String

    package init(name: String?, line: Int, column: Int, message: String, sourceLine: String) {
        self.name = name
        self.line = line
        self.column = column
        self.message = message
        self.sourceLine = sourceLine
    }

    package init(_ message: String, at offset: Int, in source: TemplateSource) {
        let position: (line: Int, column: Int) = source.position(of: offset)
        self.init(
            name: source.name, line: position.line, column: position.column, message: message,
            sourceLine: source.line(at: offset))
    }

    /// The mistake in one line: `name:line:column: message`.
    package var summary: String {
        "\(name.map { "\($0):" } ?? "")\(line):\(column): \(message)"
    }

    /// The summary, the source line, and a caret under the place.
    package var rendered: String {
        let before: Substring = sourceLine.prefix(max(0, column - 1))
        let margin: String = String(
            before.map { (character: Character) -> Character in character == "\t" ? "\t" : " " })
        return "\(summary)\n\(sourceLine)\n\(margin)^"
    }
}

extension TemplateError: CustomStringConvertible {
    package var description: String { rendered }
}
