/// A piece of a template: text, an output `{{ … }}` or a tag `{% … %}`.
package struct TemplateToken: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case text, output, tag
        /// `{{` or `{%` whose end is missing. A parser refuses it, unless it stands in a raw block or a comment.
        case unclosedOutput, unclosedTag
    }

    package let kind: Kind
    /// The whole token, delimiters included.
    package let range: Range<Int>
    /// What stands between the delimiters and their dashes; for text the same as `range`.
    package let content: Range<Int>
    /// `{{-` or `{%-`: white space before the token goes.
    package let trimsBefore: Bool
    /// `-}}` or `-%}`: white space after the token goes.
    package let trimsAfter: Bool
}

/// Splits a template into its tokens. Raw blocks and comments are the parser's business: it can skip tokens and take
/// their `range` as text. Every byte of the source belongs to exactly one token.
package struct TemplateLexer {
    private let bytes: [UInt8]
    private var place = 0
    /// Where a search for `%}` found none up to the end: none lies behind it either. Without this, a template of
    /// nothing but `{%` would be searched to its end for each of them.
    private var endless: Int?

    package init(_ source: TemplateSource) {
        self.bytes = source.bytes
    }

    package static func tokens(of source: TemplateSource) -> [TemplateToken] {
        var lexer = TemplateLexer(source)
        var tokens: [TemplateToken] = []
        while let token = lexer.next() { tokens.append(token) }
        return tokens
    }

    package mutating func next() -> TemplateToken? {
        guard place < bytes.count else { return nil }
        if starts(with: ASCII.percent, at: place) { return tag(from: place) }
        if starts(with: ASCII.openBrace, at: place) { return output(from: place) }
        let start: Int = place
        place += 1
        while place < bytes.count {
            if starts(with: ASCII.percent, at: place) || starts(with: ASCII.openBrace, at: place) { break }
            place += 1
        }
        let range: Range<Int> = start..<place
        return TemplateToken(kind: .text, range: range, content: range, trimsBefore: false, trimsAfter: false)
    }

    private func starts(with second: UInt8, at offset: Int) -> Bool {
        bytes[offset] == ASCII.openBrace && offset + 1 < bytes.count && bytes[offset + 1] == second
    }

    private mutating func tag(from start: Int) -> TemplateToken {
        guard let end = endOfTag(after: start + 2) else {
            place = start + 2
            return unclosed(.unclosedTag, start..<place)
        }
        place = end
        return closed(.tag, start..<end)
    }

    /// The offset after the next `%}`.
    private mutating func endOfTag(after start: Int) -> Int? {
        if let endless, start >= endless { return nil }
        var index: Int = start
        while index + 1 < bytes.count {
            if bytes[index] == ASCII.percent, bytes[index + 1] == ASCII.closeBrace { return index + 2 }
            index += 1
        }
        endless = start
        return nil
    }

    /// An output ends at `}}`. A lone `}` or a tag inside it leaves it unclosed.
    private mutating func output(from start: Int) -> TemplateToken {
        var index: Int = start + 2
        while index < bytes.count {
            let byte: UInt8 = bytes[index]
            if byte == ASCII.closeBrace {
                if index + 1 < bytes.count, bytes[index + 1] == ASCII.closeBrace {
                    place = index + 2
                    return closed(.output, start..<place)
                }
                place = index + 1
                return unclosed(.unclosedOutput, start..<place)
            }
            if byte == ASCII.openBrace, index + 1 < bytes.count, bytes[index + 1] == ASCII.percent {
                place = endOfTag(after: index + 2) ?? bytes.count
                return unclosed(.unclosedOutput, start..<place)
            }
            index += 1
        }
        place = bytes.count
        return unclosed(.unclosedOutput, start..<place)
    }

    private func closed(_ kind: TemplateToken.Kind, _ range: Range<Int>) -> TemplateToken {
        var lower: Int = range.lowerBound + 2
        var upper: Int = range.upperBound - 2
        let trimsBefore: Bool = bytes[lower] == ASCII.dash
        let trimsAfter: Bool = bytes[upper - 1] == ASCII.dash
        if trimsBefore { lower += 1 }
        if trimsAfter, upper > lower { upper -= 1 }
        return TemplateToken(
            kind: kind, range: range, content: lower..<max(lower, upper), trimsBefore: trimsBefore,
            trimsAfter: trimsAfter)
    }

    private func unclosed(_ kind: TemplateToken.Kind, _ range: Range<Int>) -> TemplateToken {
        TemplateToken(
            kind: kind, range: range, content: range, trimsBefore: false, trimsAfter: false)
    }
}
