/// A word or a sign of an expression.
package struct ExpressionToken: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case identifier(String)
        case integer(Int)
        case double(Double)
        case string(String)
        /// `==`, `!=`, `<>`, `<`, `>`, `<=`, `>=` or `contains`.
        case comparison(Comparison)
        /// A single `=`.
        case equals
        case pipe, dot, dotDot, colon, comma, openBracket, closeBracket, openParenthesis, closeParenthesis
        case questionMark, dash, end
    }

    package let kind: Kind
    /// Bytes of the template's source.
    package let range: Range<Int>
}

/// A comparison between two expressions.
package enum Comparison: String, Hashable, Sendable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case greater = ">"
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case contains
}

/// Splits what stands inside `{{ }}` or `{% %}` into words and signs.
package struct ExpressionLexer {
    private let source: TemplateSource
    private let end: Int
    private var place: Int
    private var tokens: [ExpressionToken] = []

    private init(_ source: TemplateSource, _ range: Range<Int>) {
        self.source = source
        self.place = range.lowerBound
        self.end = min(range.upperBound, source.bytes.count)
    }

    /// The tokens of a part of the source; the last one is always `.end`.
    package static func tokens(
        of source: TemplateSource, in range: Range<Int>
    ) throws(TemplateError) -> [ExpressionToken] {
        var lexer = ExpressionLexer(source, range)
        while lexer.skipSpace() { try lexer.scan() }
        lexer.tokens.append(ExpressionToken(kind: .end, range: lexer.end..<lexer.end))
        return lexer.tokens
    }

    /// False at the end. A no-break space, which editors like to leave behind, counts as white space too.
    private mutating func skipSpace() -> Bool {
        while place < end {
            if ASCII.isSpace(source.bytes[place]) {
                place += 1
            } else if source.bytes[place] == 0xC2, peek(1) == 0xA0 {
                place += 2
            } else {
                return true
            }
        }
        return false
    }

    private func peek(_ distance: Int) -> UInt8? {
        place + distance < end ? source.bytes[place + distance] : nil
    }

    private mutating func add(_ kind: ExpressionToken.Kind, length: Int) {
        tokens.append(ExpressionToken(kind: kind, range: place..<place + length))
        place += length
    }

    private mutating func scan() throws(TemplateError) {
        let byte: UInt8 = source.bytes[place]
        switch byte {
        case UInt8(ascii: "|"): add(.pipe, length: 1)
        case UInt8(ascii: ":"): add(.colon, length: 1)
        case UInt8(ascii: ","): add(.comma, length: 1)
        case UInt8(ascii: "["): add(.openBracket, length: 1)
        case UInt8(ascii: "]"): add(.closeBracket, length: 1)
        case UInt8(ascii: "("): add(.openParenthesis, length: 1)
        case UInt8(ascii: ")"): add(.closeParenthesis, length: 1)
        case ASCII.questionMark: add(.questionMark, length: 1)
        case ASCII.dot:
            if peek(1) == ASCII.dot { add(.dotDot, length: 2) } else { add(.dot, length: 1) }
        case ASCII.dash:
            if let next = peek(1), ASCII.isDigit(next) { try number() } else { add(.dash, length: 1) }
        case UInt8(ascii: "="), UInt8(ascii: "!"), UInt8(ascii: "<"), UInt8(ascii: ">"): try comparison(byte)
        case ASCII.singleQuote, ASCII.doubleQuote: try string(quote: byte)
        default:
            if ASCII.isDigit(byte) {
                try number()
            } else if ASCII.isWord(byte), !isPunctuation(at: place) {
                identifier()
            } else {
                throw unexpected()
            }
        }
    }

    private func unexpected() -> TemplateError {
        let rest = String(decoding: source.bytes[place..<end].prefix(4), as: UTF8.self)
        let character: String = rest.first.map(String.init) ?? ""
        return TemplateError("unexpected character \(character)", at: place, in: source)
    }

    private mutating func comparison(_ first: UInt8) throws(TemplateError) {
        let followed: Bool = peek(1) == UInt8(ascii: "=")
        switch first {
        case UInt8(ascii: "="):
            if followed { add(.comparison(.equal), length: 2) } else { add(.equals, length: 1) }
        case UInt8(ascii: "!"):
            guard followed else { throw unexpected() }
            add(.comparison(.notEqual), length: 2)
        case UInt8(ascii: "<"):
            if followed {
                add(.comparison(.lessOrEqual), length: 2)
            } else if peek(1) == UInt8(ascii: ">") {
                add(.comparison(.notEqual), length: 2)
            } else {
                add(.comparison(.less), length: 1)
            }
        default:
            if followed { add(.comparison(.greaterOrEqual), length: 2) } else { add(.comparison(.greater), length: 1) }
        }
    }

    private mutating func string(quote: UInt8) throws(TemplateError) {
        guard let close = source.bytes[(place + 1)..<end].firstIndex(of: quote) else {
            throw TemplateError("this string has no closing quote", at: place, in: source)
        }
        let text: String = source.text((place + 1)..<close)
        add(.string(text), length: close + 1 - place)
    }

    /// Digits, and a fraction where a digit follows the dot. A whole number too large for 64 bits becomes a double.
    private mutating func number() throws(TemplateError) {
        var index: Int = place + 1
        while index < end, ASCII.isDigit(source.bytes[index]) { index += 1 }
        var isWhole = true
        if index + 1 < end, source.bytes[index] == ASCII.dot, ASCII.isDigit(source.bytes[index + 1]) {
            isWhole = false
            index += 1
            while index < end, ASCII.isDigit(source.bytes[index]) { index += 1 }
        }
        let text: String = source.text(place..<index)
        if isWhole, let value = Int(text) {
            add(.integer(value), length: index - place)
        } else {
            add(.double(Double(text) ?? 0), length: index - place)
        }
    }

    /// A no-break space, or a typographic quote, dash or space (U+2000 to U+207F): letters only by their bytes.
    private func isPunctuation(at index: Int) -> Bool {
        guard source.bytes[index] >= 0xC2, index + 1 < end else { return false }
        let next: UInt8 = source.bytes[index + 1]
        return source.bytes[index] == 0xC2
            ? next == 0xA0 : source.bytes[index] == 0xE2 && (next == 0x80 || next == 0x81)
    }

    private mutating func identifier() {
        var index: Int = place + 1
        while index < end, ASCII.isWord(source.bytes[index]) || source.bytes[index] == ASCII.dash {
            if isPunctuation(at: index) { break }
            index += 1
        }
        if index < end, source.bytes[index] == ASCII.questionMark { index += 1 }
        let text: String = source.text(place..<index)
        if text == Comparison.contains.rawValue, tokens.last?.kind != .dot {
            add(.comparison(.contains), length: index - place)
        } else {
            add(.identifier(text), length: index - place)
        }
    }
}
