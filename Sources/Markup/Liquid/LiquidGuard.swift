/// Cleans a source of characters that HTML cannot hold and puts Liquid out of the parser's reach.
///
/// A small scanner knows whether it is in text, in a tag or in an attribute's value. In text and values a tag becomes a
/// mark (``LiquidMarks``); between attributes an attribute with a unique name; in the head, where text would open the
/// body, a `<meta>`. If this scanner and the parser disagree about a place, the mark still comes back as plain text.
struct LiquidGuard {
    /// The source for the parser.
    struct Protected {
        var bytes: [UInt8]
        let prologue: String
        let isFragment: Bool
    }

    private enum Place {
        case text
        case comment
        case declaration
        case raw(String)
        case tag
        case name
        case value(quote: UInt8)
    }

    private let bytes: [UInt8]
    private let limits: MarkupLimits
    private let keepsLiquid: Bool
    let nonce: String
    private(set) var marks = LiquidMarks()

    private var position = 0
    private var output: [UInt8] = []
    private var place: Place = .text
    private var tagName = ""
    private var attributes = 0
    private var sawLiquidInTag = false
    private var inHead = false
    private var inTitle = false
    private var outputsEnded = false
    private var tagsEnded = false

    init(source: String, limits: MarkupLimits, keepsLiquid: Bool) {
        bytes = Self.cleaned(source)
        self.limits = limits
        self.keepsLiquid = keepsLiquid
        nonce = "lq\(Self.unused(in: bytes))z"
    }

    /// A number that no `lq…z` of the source has: one above the highest. Found in one pass, because a source may be full
    /// of them.
    private static func unused(in bytes: [UInt8]) -> Int {
        var highest: Int = -1
        var index = 0
        while index + 2 < bytes.count {
            guard bytes[index] | 32 == UInt8(ascii: "l"), bytes[index + 1] | 32 == UInt8(ascii: "q") else {
                index += 1
                continue
            }
            index += 2
            var number = 0
            // Longer ones have more digits than any that is made here.
            while index < bytes.count, (48...57).contains(bytes[index]), number < 100_000_000 {
                number = number * 10 + Int(bytes[index] - 48)
                index += 1
            }
            highest = max(highest, number)
        }
        return highest + 1
    }

    mutating func protect() throws(MarkupError) -> Protected {
        let isFragment = !Self.isDocument(bytes)
        let prologue = isFragment ? "" : takePrologue()
        output.reserveCapacity(bytes.count + bytes.count / 4)
        if isFragment { output += Array("<html><body>".utf8) }
        while position < bytes.count {
            if keepsLiquid, let end = liquidEnd() {
                putMark(through: end)
            } else {
                try step()
            }
        }
        return Protected(bytes: output, prologue: prologue, isFragment: isFragment)
    }

    // MARK: Liquid

    /// The index after the Liquid tag that begins here; nil when none does. As in Liquid itself, the first `}}` or `%}`
    /// ends it, also inside quotes.
    private mutating func liquidEnd() -> Int? {
        guard bytes[position] == UInt8(ascii: "{"), position + 1 < bytes.count else { return nil }
        let kind = bytes[position + 1]
        guard kind == UInt8(ascii: "{") && !outputsEnded || kind == UInt8(ascii: "%") && !tagsEnded else { return nil }
        let closing = kind == UInt8(ascii: "{") ? UInt8(ascii: "}") : kind
        var index = position + 2
        while index + 1 < bytes.count {
            if bytes[index] == closing, bytes[index + 1] == UInt8(ascii: "}") { return index + 2 }
            index += 1
        }
        if closing == kind { tagsEnded = true } else { outputsEnded = true }
        return nil
    }

    private mutating func putMark(through end: Int) {
        let index = marks.add(LiquidTag(String(decoding: bytes[position..<end], as: UTF8.self)))
        position = end
        switch place {
        case .tag, .name:
            sawLiquidInTag = true
            place = .tag
            output += Array(" \(nonce)t\(index) ".utf8)
        case .text where inHead && !inTitle:
            output += Array("<meta \(nonce)t\(index)>".utf8)
        default:
            output += Array(LiquidMarks.mark(index).utf8)
        }
    }

    /// Liquid and white space before a document's first tag.
    private mutating func takePrologue() -> String {
        var end = 0
        while position < bytes.count, bytes[position] != UInt8(ascii: "<") {
            if keepsLiquid, let next = liquidEnd() {
                position = next
                end = next
            } else if bytes[position] <= 32 {
                position += 1
            } else {
                break
            }
        }
        position = end
        guard end > 0 else { return "" }
        var text = ""
        for piece in Self.liquidTags(in: String(decoding: bytes[..<end], as: UTF8.self)) {
            text += LiquidMarks.mark(marks.add(piece))
        }
        return text
    }

    /// Only the tags of a text.
    private static func liquidTags(in text: String) -> [LiquidTag] {
        var scanner = LiquidGuard(source: text, limits: .standard, keepsLiquid: true)
        var tags: [LiquidTag] = []
        while scanner.position < scanner.bytes.count {
            if let end = scanner.liquidEnd() {
                tags.append(LiquidTag(String(decoding: scanner.bytes[scanner.position..<end], as: UTF8.self)))
                scanner.position = end
            } else {
                scanner.position += 1
            }
        }
        return tags
    }

    // MARK: HTML

    private mutating func step() throws(MarkupError) {
        switch place {
        case .text: stepInText()
        case .comment: copy(until: "-->")
        case .declaration: copy(until: ">")
        case .raw(let name): stepInRaw(name)
        case .tag: try stepInTag()
        case .name: stepInName()
        case .value(let quote): stepInValue(quote)
        }
    }

    private mutating func stepInText() {
        let byte = take()
        guard byte == UInt8(ascii: "<"), position < bytes.count else { return }
        if begins(with: "!--") {
            place = .comment
        } else if bytes[position] == UInt8(ascii: "!") || bytes[position] == UInt8(ascii: "?") {
            place = .declaration
        } else if bytes[position] == UInt8(ascii: "/") || Self.isLetter(bytes[position]) {
            takeTagName()
        }
    }

    private mutating func takeTagName() {
        let start = position
        if bytes[position] == UInt8(ascii: "/") { _ = take() }
        while position < bytes.count, Self.isNameByte(bytes[position]) { _ = take() }
        tagName = String(decoding: bytes[start..<position], as: UTF8.self).lowercased()
        attributes = 0
        sawLiquidInTag = false
        place = .tag
    }

    private mutating func stepInTag() throws(MarkupError) {
        let byte = bytes[position]
        if byte == UInt8(ascii: ">") {
            _ = take()
            finishTag()
        } else if byte == UInt8(ascii: "=") {
            _ = take()
            while position < bytes.count, bytes[position] <= 32 { _ = take() }
            guard position < bytes.count, bytes[position] != UInt8(ascii: ">") else { return }
            let isQuoted = bytes[position] == UInt8(ascii: "\"") || bytes[position] == UInt8(ascii: "'")
            place = .value(quote: isQuoted ? take() : 0)
        } else if byte <= 32 || byte == UInt8(ascii: "/") {
            _ = take()
        } else {
            attributes += 1
            if attributes > limits.attributes { throw .tooManyAttributes(limit: limits.attributes) }
            if sawLiquidInTag { output += Array("\(nonce)p\(attributes)-".utf8) }
            _ = take()
            place = .name
        }
    }

    private mutating func stepInName() {
        let byte = bytes[position]
        if byte <= 32 || byte == UInt8(ascii: "=") || byte == UInt8(ascii: ">") || byte == UInt8(ascii: "/") {
            place = .tag
        } else {
            _ = take()
        }
    }

    private mutating func stepInValue(_ quote: UInt8) {
        let byte = bytes[position]
        if quote == 0, byte <= 32 || byte == UInt8(ascii: ">") {
            place = .tag
        } else {
            _ = take()
            if byte == quote { place = .tag }
        }
    }

    private mutating func finishTag() {
        place = .text
        switch tagName {
        case "html", "head": inHead = true
        case "/head": inHead = true
        case "body": inHead = false
        case "title": inTitle = true
        case "/title": inTitle = false
        case "script", "style": place = .raw(tagName)
        case "meta", "link", "base", "/html", "/style", "/script": break
        default: inHead = inHead && tagName.hasPrefix("/")
        }
    }

    private mutating func stepInRaw(_ name: String) {
        if bytes[position] == UInt8(ascii: "<"), begins(with: "</" + name) { place = .text } else { _ = take() }
        if case .text = place { stepInText() }
    }

    private mutating func copy(until end: String) {
        if begins(with: end) {
            for _ in end.utf8 { _ = take() }
            place = .text
        } else {
            _ = take()
        }
    }

    private mutating func take() -> UInt8 {
        let byte = bytes[position]
        output.append(byte)
        position += 1
        return byte
    }

    private func begins(with text: String) -> Bool {
        var index = position
        for expected in text.utf8 {
            guard index < bytes.count,
                bytes[index] == expected || Self.isLetter(expected) && bytes[index] | 32 == expected
            else { return false }
            index += 1
        }
        return true
    }
}

extension LiquidGuard {
    private static func isLetter(_ byte: UInt8) -> Bool {
        let lower = byte | 32
        return lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z")
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: ":")
    }

    /// Without control characters (tab and line ends stay) and without the private-use characters U+E000 to U+E007.
    private static func cleaned(_ source: String) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(source.utf8.count)
        for scalar in source.unicodeScalars where !isForbidden(scalar) {
            result.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
        return result
    }

    static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 9, 10, 13: false
        case 0..<32, 127, 0xE000...0xE007, 0xFEFF, 0xFFFE, 0xFFFF: true
        default: false
        }
    }

    private static func isDocument(_ bytes: [UInt8]) -> Bool {
        let names: [[UInt8]] = ["!doctype", "html", "head", "body"].map { Array($0.utf8) }
        var index = 0
        while let start = bytes[index...].firstIndex(of: UInt8(ascii: "<")) {
            index = start + 1
            for name in names where index + name.count < bytes.count {
                let isSame = zip(bytes[index...], name).allSatisfy { $0 | 32 == $1 || $0 == $1 }
                let next = bytes[index + name.count]
                if isSame, next <= 32 || next == UInt8(ascii: ">") || next == UInt8(ascii: "/") { return true }
            }
        }
        return false
    }
}

extension LiquidGuard {
    /// The source, which is plain text and not HTML, as HTML text with its Liquid kept.
    mutating func escapedText() -> String {
        let text = markedText()
        return marks.pieces(of: text).map { piece in
            switch piece {
            case .text(let text): HTMLSerializer.escaped(text, inAttribute: false)
            case .tag(let tag, _): tag.source
            }
        }.joined()
    }

    /// The source with marks for Liquid, read as plain text.
    mutating func markedText() -> String {
        while position < bytes.count {
            if let end = liquidEnd() { putMark(through: end) } else { _ = take() }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
