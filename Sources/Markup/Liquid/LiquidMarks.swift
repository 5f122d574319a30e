/// The Liquid tags of a text, set aside, and the marks that stand in their places.
///
/// A mark is U+E004, the tag's number in decimal, U+E005. Both are private-use characters that are removed from every
/// source before marks are put in, so a mark is always ours.
package struct LiquidMarks: Sendable, Equatable {
    static let opening: Unicode.Scalar = "\u{E004}"
    static let closing: Unicode.Scalar = "\u{E005}"

    private(set) var tags: [LiquidTag] = []

    mutating func add(_ tag: LiquidTag) -> Int {
        tags.append(tag)
        return tags.count - 1
    }

    static func mark(_ index: Int) -> String {
        "\u{E004}\(index)\u{E005}"
    }

    /// A text cut at its marks. A mark without a tag is dropped.
    func pieces(of text: String) -> [LiquidPiece] {
        guard text.unicodeScalars.contains(Self.opening) else { return text.isEmpty ? [] : [.text(text)] }
        var pieces: [LiquidPiece] = []
        var rest = text.unicodeScalars[...]
        while let start = rest.firstIndex(of: Self.opening) {
            if start > rest.startIndex { pieces.append(.text(String(rest[..<start]))) }
            guard let end = rest[start...].firstIndex(of: Self.closing) else {
                rest = rest[rest.unicodeScalarsAfter(start)...]
                continue
            }
            let number = Int(String(rest[rest.unicodeScalarsAfter(start)..<end]))
            if let number, tags.indices.contains(number) { pieces.append(.tag(tags[number], index: number)) }
            rest = rest[rest.unicodeScalarsAfter(end)...]
        }
        if !rest.isEmpty { pieces.append(.text(String(rest))) }
        return pieces
    }

    /// A text with its marks turned back into Liquid.
    package func restore(_ text: String) -> String {
        pieces(of: text).map(\.source).joined()
    }
}

extension Substring.UnicodeScalarView {
    fileprivate func unicodeScalarsAfter(_ index: Index) -> Index { self.index(after: index) }
}

/// A stretch of text or one Liquid tag.
enum LiquidPiece: Equatable {
    case text(String)
    case tag(LiquidTag, index: Int)

    var source: String {
        switch self {
        case .text(let text): text
        case .tag(let tag, _): tag.source
        }
    }
}

/// One `{{ … }}` or `{% … %}`.
struct LiquidTag: Sendable, Equatable {
    /// As it goes back into the HTML.
    let source: String
    /// `{{ … }}`.
    let isOutput: Bool
    /// The tag's name (`if`, `endfor`), or for an output the variable's path (`contact.first_name`).
    let name: String

    init(_ text: String) {
        let source = Self.disarmed(Self.decoded(text))
        isOutput = source.hasPrefix("{{")
        var inside = source.dropFirst(2)
        if inside.first == "-" { inside = inside.dropFirst() }
        let body = inside.drop { $0.isWhitespace }
        name = String(body.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." || $0 == "-" })
        // Inside `raw` Liquid would be text, and what we protect as a tag would reach the reader unescaped.
        let isRaw = !isOutput && (name == "raw" || name == "endraw")
        self.source = isRaw ? "" : source
    }

    /// Chooses what is rendered, and never renders anything itself: such a tag may stand between attributes.
    var isBranch: Bool {
        !isOutput && Self.branches.contains(name)
    }

    /// Prints nothing itself.
    var isControl: Bool {
        !isOutput && !Self.printing.contains(name)
    }

    /// The tag for the inside of a double-quoted attribute: string literals take single quotes. Nil when that cannot be.
    var attributeSource: String? {
        guard source.contains("\"") else { return source }
        var result = ""
        var literal: String?
        for character in source {
            if let text = literal {
                guard character == "\"" else {
                    literal = text + String(character)
                    continue
                }
                guard !text.contains("'") else { return nil }
                result += "'\(text)'"
                literal = nil
            } else if character == "\"" {
                literal = ""
            } else {
                result.append(character)
            }
        }
        return literal == nil ? result : nil
    }

    private static let branches: Set<String> = [
        "if", "elsif", "else", "endif", "unless", "endunless", "case", "when", "endcase",
    ]

    private static let printing: Set<String> = [
        "echo", "cycle", "increment", "decrement", "render", "include", "liquid", "tablerow", "endtablerow",
    ]

    /// Rich-text editors write the operators and quotes inside Liquid as entities.
    private static func decoded(_ text: String) -> String {
        guard text.contains("&") else { return text }
        let entities: [(String, String)] = [
            ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'"), ("&apos;", "'"),
            ("&nbsp;", " "), ("&amp;", "&"),
        ]
        var result = text
        for (entity, character) in entities { result = result.replacing(entity, with: character) }
        return result
    }

    /// `<` before a letter, `/`, `!` or `?` would begin a tag for a browser that sees the source; a space ends that.
    private static func disarmed(_ text: String) -> String {
        guard text.contains("<") else { return text }
        var result = ""
        var previous: Character = " "
        for character in text {
            if previous == "<", character.isLetter || "/!?".contains(character) { result.append(" ") }
            result.append(character)
            previous = character
        }
        return result
    }
}
