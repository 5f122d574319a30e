/// Reads emphasis, links, pictures, code and line breaks inside a paragraph.
struct MarkdownInlines {
    /// A finished piece of HTML, or a run of `*`, `_` or `~` whose meaning is decided by what follows.
    private enum Piece {
        case html(String)
        case run(character: Character, count: Int, opens: Bool, closes: Bool)
    }

    private let text: [Character]
    private let depth: Int
    private var position = 0
    private var pieces: [Piece] = []
    /// What runs have become: tags that end before the rest of a run, and tags that begin after it.
    private var closed: [Int: String] = [:]
    private var opened: [Int: String] = [:]
    private var plain = ""
    private var tagsEnded = false
    /// Where the bracket closes that opens at an index; read for the whole text when the first link is met.
    private var closings: [Int: Int]?

    static func html(of text: String) -> String {
        html(of: Array(text), depth: 0)
    }

    private static func html(of text: [Character], depth: Int) -> String {
        var reader = MarkdownInlines(text: text, depth: depth)
        reader.read()
        return reader.resolved()
    }

    private init(text: [Character], depth: Int) {
        self.text = text
        self.depth = depth
    }

    private mutating func read() {
        while position < text.count {
            switch text[position] {
            case "\\": readEscape()
            case "`": readCode()
            case "!" where peek(1) == "[": readLink(isImage: true)
            case "[": readLink(isImage: false)
            case "<": readTag()
            case "&": readEntity()
            case "*", "_", "~": readRun()
            case "\n": readLineEnd()
            default:
                plain.append(text[position])
                position += 1
            }
        }
        flush()
    }

    private func peek(_ distance: Int) -> Character? {
        let index = position + distance
        return text.indices.contains(index) ? text[index] : nil
    }

    private mutating func flush() {
        guard !plain.isEmpty else { return }
        pieces.append(.html(HTMLSerializer.escaped(plain, inAttribute: false)))
        plain = ""
    }

    private mutating func add(_ html: String) {
        flush()
        pieces.append(.html(html))
    }

    private mutating func readEscape() {
        guard let next = peek(1) else {
            plain.append("\\")
            position += 1
            return
        }
        position += 2
        if next == "\n" {
            add("<br>\n")
        } else if next.isASCII, next.isPunctuation || next.isSymbol {
            plain.append(next)
        } else {
            plain += "\\" + String(next)
        }
    }

    private mutating func readCode() {
        let count = text[position...].prefix { $0 == "`" }.count
        var index = position + count
        while index < text.count {
            let run = text[index...].prefix { $0 == "`" }.count
            if run == count {
                var code = String(text[(position + count)..<index]).replacing("\n", with: " ")
                if code.hasPrefix(" "), code.hasSuffix(" "), !code.trimmed.isEmpty {
                    code = String(code.dropFirst().dropLast())
                }
                add("<code>" + HTMLSerializer.escaped(code, inAttribute: false) + "</code>")
                position = index + count
                return
            }
            index += max(1, run)
        }
        plain += String(repeating: "`", count: count)
        position += count
    }

    private mutating func readLineEnd() {
        let isHard = plain.hasSuffix("  ")
        while plain.last == " " { plain.removeLast() }
        if isHard { add("<br>\n") } else { plain.append("\n") }
        position += 1
    }

    /// An entity stays as it is; other ampersands are text.
    private mutating func readEntity() {
        let name = text[(position + 1)...].prefix(32).prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "#") }
        let end = position + 1 + name.count
        guard !name.isEmpty, end < text.count, text[end] == ";" else {
            plain.append("&")
            position += 1
            return
        }
        add("&" + String(name) + ";")
        position = end + 1
    }

    /// `<https://…>`, `<name@host>` or a raw tag.
    private mutating func readTag() {
        guard !tagsEnded, let first = peek(1), first.isASCII && first.isLetter || first == "/" || first == "!",
            let end = tagEnd()
        else {
            plain.append("<")
            position += 1
            return
        }
        let inside = String(text[(position + 1)..<end])
        let lower = inside.lowercased()
        let isAddress = !inside.contains(where: \.isWhitespace)
        if isAddress, lower.hasPrefix("http://") || lower.hasPrefix("https://") || lower.hasPrefix("mailto:") {
            add(Self.link(inside, text: HTMLSerializer.escaped(inside, inAttribute: false)))
        } else if isAddress, inside.contains("@"), !inside.contains("=") {
            add(Self.link("mailto:" + inside, text: HTMLSerializer.escaped(inside, inAttribute: false)))
        } else {
            add("<" + inside + ">")
        }
        position = end + 1
    }

    /// The next `>`. When there is none, nobody looks for it again.
    private mutating func tagEnd() -> Int? {
        let end: Int? = text[position...].firstIndex(of: ">")
        if end == nil { tagsEnded = true }
        return end
    }

    private static func link(_ address: String, text: String) -> String {
        "<a href=\"" + HTMLSerializer.escaped(address, inAttribute: true) + "\">" + text + "</a>"
    }

    // MARK: Links

    private mutating func readLink(isImage: Bool) {
        let open = position + (isImage ? 1 : 0)
        guard depth < 8, let close = closingBracket(from: open), let target = MarkdownLinkTarget(text, at: close + 1)
        else {
            plain += isImage ? "![" : "["
            position = open + 1
            return
        }
        let label = Array(text[(open + 1)..<close])
        let title = target.title.map { " title=\"" + HTMLSerializer.escaped($0, inAttribute: true) + "\"" } ?? ""
        let address = HTMLSerializer.escaped(target.address, inAttribute: true)
        if isImage {
            let alternative = HTMLSerializer.escaped(String(label), inAttribute: true)
            add("<img src=\"\(address)\" alt=\"\(alternative)\"\(title)>")
        } else {
            add("<a href=\"\(address)\"\(title)>" + Self.html(of: label, depth: depth + 1) + "</a>")
        }
        position = target.end
    }

    private mutating func closingBracket(from open: Int) -> Int? {
        let closings: [Int: Int] = self.closings ?? Self.brackets(of: text)
        self.closings = closings
        return closings[open].flatMap { $0 - open < 2000 ? $0 : nil }
    }

    private static func brackets(of text: [Character]) -> [Int: Int] {
        var closings: [Int: Int] = [:]
        var open: [Int] = []
        var index = 0
        while index < text.count {
            switch text[index] {
            case "\\": index += 1
            case "[": open.append(index)
            case "]": if let opening = open.popLast() { closings[opening] = index }
            default: break
            }
            index += 1
        }
        return closings
    }

    // MARK: Emphasis

    /// Whether a run may open or close emphasis depends on its neighbours (CommonMark §6.2).
    private mutating func readRun() {
        let character = text[position]
        let count = text[position...].prefix { $0 == character }.count
        let before = position > 0 ? text[position - 1] : " "
        let after = peek(count) ?? " "
        let isLeft =
            !after.isWhitespace && (!Self.isPunctuation(after) || before.isWhitespace || Self.isPunctuation(before))
        let isRight =
            !before.isWhitespace && (!Self.isPunctuation(before) || after.isWhitespace || Self.isPunctuation(after))
        position += count
        if character == "~", count != 2 {
            plain += String(repeating: "~", count: count)
            return
        }
        flush()
        let isWord = character == "_"
        pieces.append(
            .run(
                character: character, count: count,
                opens: isLeft && (!isWord || !isRight || Self.isPunctuation(before)),
                closes: isRight && (!isWord || !isLeft || Self.isPunctuation(after))))
    }

    private static func isPunctuation(_ character: Character) -> Bool {
        character.isPunctuation || character.isSymbol
    }

    /// Pairs runs from left to right; each closer takes the nearest opener of its kind.
    private mutating func resolved() -> String {
        var closer = 0
        while closer < pieces.count {
            guard case .run(let character, let count, let opens, true) = pieces[closer], count > 0,
                let opener = opener(of: character, count: count, before: closer, closerOpens: opens)
            else {
                closer += 1
                continue
            }
            pair(opener, closer)
        }
        return pieces.enumerated().map { index, piece in
            switch piece {
            case .html(let html): html
            case .run(let character, let count, _, _):
                closed[index, default: ""] + String(repeating: character, count: count) + opened[index, default: ""]
            }
        }.joined()
    }

    private func opener(of character: Character, count: Int, before closer: Int, closerOpens: Bool) -> Int? {
        var index = closer - 1
        while index >= 0, closer - index < 400 {
            if case .run(let other, let length, true, let closes) = pieces[index], other == character, length > 0 {
                let isMixed =
                    (closes || closerOpens) && (length + count) % 3 == 0 && (length % 3 != 0 || count % 3 != 0)
                if character == "~" ? length == count : !isMixed { return index }
            }
            index -= 1
        }
        return nil
    }

    /// Wraps what stands between two runs and uses up one or two characters of each. Runs between them become text.
    private mutating func pair(_ opener: Int, _ closer: Int) {
        guard case .run(let character, let openCount, let opens, let openCloses) = pieces[opener],
            case .run(_, let closeCount, let closerOpens, let closes) = pieces[closer]
        else { return }
        let used = character == "~" || openCount >= 2 && closeCount >= 2 ? 2 : 1
        let name = character == "~" ? "del" : used == 2 ? "strong" : "em"
        for index in (opener + 1)..<closer {
            if case .run(let other, let count, _, _) = pieces[index] {
                pieces[index] = .run(character: other, count: count, opens: false, closes: false)
            }
        }
        pieces[opener] = .run(character: character, count: openCount - used, opens: opens, closes: openCloses)
        pieces[closer] = .run(character: character, count: closeCount - used, opens: closerOpens, closes: closes)
        closed[closer, default: ""] += "</\(name)>"
        opened[opener] = "<\(name)>" + opened[opener, default: ""]
    }
}

/// `(address "title")` after a link's text.
struct MarkdownLinkTarget {
    let address: String
    let title: String?
    /// The index after the bracket.
    let end: Int

    private static let longestAddress = 4000

    init?(_ text: [Character], at start: Int) {
        guard start < text.count, text[start] == "(" else { return nil }
        var index = start + 1
        func skipSpace() { while index < text.count, text[index].isWhitespace { index += 1 } }
        skipSpace()
        var address = ""
        var level = 0
        let isAngled = index < text.count && text[index] == "<"
        if isAngled { index += 1 }
        let limit = min(text.count, index + Self.longestAddress)
        while index < limit {
            let character = text[index]
            // CommonMark §6.3: nothing of this stands in an address in angle brackets.
            if isAngled, character == "<" || character.isNewline { return nil }
            if isAngled ? character == ">" : character.isWhitespace { break }
            // The beginning of another link: looking on would read the rest of the text once for each of them.
            if !isAngled, character == "(", text[index - 1] == "]" { return nil }
            if !isAngled, character == "(" { level += 1 }
            if !isAngled, character == ")" {
                if level == 0 { break }
                level -= 1
            }
            address.append(character)
            index += 1
        }
        if isAngled { index += 1 }
        skipSpace()
        var title: String?
        if index < text.count, text[index] == "\"" || text[index] == "'" {
            guard let close = text[(index + 1)...].firstIndex(of: text[index]) else { return nil }
            title = String(text[(index + 1)..<close])
            index = close + 1
            skipSpace()
        }
        guard index < text.count, text[index] == ")" else { return nil }
        self.address = address
        self.title = title
        end = index + 1
    }
}
