/// Literals hold text as it is: nothing inside quotes is filled in. Braces there are a mistake that would otherwise be
/// seen only on the page, as `/campaigns/{{ id }}` in an address.
enum ViewLiteral {
    /// The first `{{` or `{%` inside quotes of a tag or an output, with a way to write it.
    static func braces(in source: TemplateSource, _ range: Range<Int>) -> TemplateError? {
        var place: Int = range.lowerBound
        while place < range.upperBound {
            let quote: UInt8 = source.bytes[place]
            guard quote == ASCII.singleQuote || quote == ASCII.doubleQuote else {
                place += 1
                continue
            }
            let start: Int = place + 1
            let end: Int = source.bytes[start..<range.upperBound].firstIndex(of: quote) ?? range.upperBound
            if let brace = brace(in: source, start..<end) {
                let open: String = source.text(brace..<brace + 2)
                let way: String = suggestion(source, literal: start..<end, after: range.lowerBound)
                return TemplateError("\(open) in quotes is not filled in: \(way)", at: brace, in: source)
            }
            place = end + 1
        }
        return nil
    }

    private static func brace(in source: TemplateSource, _ range: Range<Int>) -> Int? {
        guard range.count > 1 else { return nil }
        return (range.lowerBound..<range.upperBound - 1).first { index in
            let next: UInt8 = source.bytes[index + 1]
            return source.bytes[index] == ASCII.openBrace && (next == ASCII.openBrace || next == ASCII.percent)
        }
    }

    /// `write href: link` where the whole literal is one output; otherwise the text has to come as a field.
    private static func suggestion(_ source: TemplateSource, literal: Range<Int>, after start: Int) -> String {
        let argument: String = self.argument(source, before: literal.lowerBound - 1, after: start) ?? ""
        let text: String = source.text(literal)
        if text.hasPrefix("{{"), text.hasSuffix("}}") {
            let inner = text.dropFirst(2).dropLast(2).drop { $0 == " " }
            let name = String(inner.prefix { $0 != " " })
            if !name.isEmpty, !name.contains("{"), inner.dropFirst(name.count).allSatisfy({ $0 == " " }) {
                return "write \(argument)\(name)"
            }
        }
        return "make the whole text a field in Swift and write \(argument)nameOfTheField"
    }

    /// `href: ` for the literal that follows it.
    private static func argument(_ source: TemplateSource, before quote: Int, after start: Int) -> String? {
        let before = source.bytes[start..<quote].reversed().drop(while: ASCII.isSpace)
        guard before.first == UInt8(ascii: ":") else { return nil }
        let name = before.dropFirst().drop(while: ASCII.isSpace).prefix(while: ASCII.isWord)
        return name.isEmpty ? nil : String(decoding: name.reversed(), as: UTF8.self) + ": "
    }
}
