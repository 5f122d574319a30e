/// Follows literal text through the markup and collects what is wrong with it.
struct ViewScanner: Sendable {
    var state = ViewMarkup()
    var lint = ViewLint()
    /// More than 0 inside `{% for %}`.
    var loopDepth = 0
    private(set) var problems: [(message: String, offset: Int)] = []

    mutating func report(_ message: String, at offset: Int) {
        problems.append((message, offset))
    }

    mutating func takeProblems() -> [(message: String, offset: Int)] {
        defer { problems = [] }
        return problems
    }

    /// Reads literal bytes. Markup that a tag made has one place for all its bytes.
    mutating func feed(_ bytes: ArraySlice<UInt8>, at fixed: Int? = nil) {
        for index in bytes.indices {
            step(bytes[index], at: fixed ?? index)
        }
    }

    /// Reads literal bytes and answers them as browsers show them: white space that ends a line is one line feed, so that
    /// pages do not carry the indentation of their views.
    mutating func compact(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var compacted: [UInt8] = []
        compacted.reserveCapacity(bytes.count)
        var index: Int = bytes.startIndex
        while index < bytes.endIndex {
            var end: Int = index + 1
            let mayShrink: Bool = ASCII.isSpace(bytes[index]) && state.place == .text && !state.isPreformatted
            while mayShrink, end < bytes.endIndex, ASCII.isSpace(bytes[end]) { end += 1 }
            let run: ArraySlice<UInt8> = bytes[index..<end]
            if mayShrink, run.contains(ASCII.newline) {
                compacted.append(ASCII.newline)
            } else {
                compacted += run
            }
            feed(run)
            index = end
        }
        return compacted
    }

    private mutating func step(_ byte: UInt8, at offset: Int) {
        switch state.place {
        case .text:
            if byte == UInt8(ascii: "<") {
                state.place = .tagStart
                state.nameOffset = offset
            }
        case .tagStart: tagStart(byte, at: offset)
        case .tagName, .endTagName: tagName(byte, at: offset)
        case .tag, .afterName: inTag(byte, at: offset)
        case .selfClosing:
            if byte == UInt8(ascii: ">") {
                close(selfClosing: true, at: offset)
            } else {
                report("a / in a tag stands before its >", at: offset)
                state.place = .tag
            }
        case .attributeName: attributeName(byte, at: offset)
        case .joined:
            if !ASCII.isSpace(byte), byte != UInt8(ascii: ">"), byte != UInt8(ascii: "/") {
                report("a space has to follow here", at: offset)
            }
            state.place = .tag
            inTag(byte, at: offset)
        case .beforeValue: beforeValue(byte, at: offset)
        case .value(let quote):
            if byte == quote { endValue(at: offset) } else { value(byte, at: offset) }
        case .declaration:
            declaration(byte)
        case .comment:
            remember(byte, 3)
            if state.recent.hasSuffix("-->") { state.place = .text }
        case .rawText(let element), .characters(let element):
            remember(byte, element.count + 2)
            if state.recent.lowercased() == "</\(element)" {
                state.name = element
                state.nameOffset = max(0, offset - element.count - 1)
                state.place = .endTagName
            }
        }
    }

    private mutating func remember(_ byte: UInt8, _ length: Int) {
        state.recent.append(Character(UnicodeScalar(byte)))
        if state.recent.count > length { state.recent.removeFirst() }
    }

    private mutating func tagStart(_ byte: UInt8, at offset: Int) {
        state.name = ""
        state.attributes = []
        if ASCII.isLetter(byte) {
            state.place = .tagName
            state.name.append(lowercase(byte))
        } else if byte == UInt8(ascii: "/") {
            state.place = .endTagName
        } else if byte == UInt8(ascii: "!") {
            state.place = .declaration
            state.recent = ""
        } else {
            report("write &lt; for a < in text", at: state.nameOffset)
            state.place = .text
        }
    }

    private func lowercase(_ byte: UInt8) -> Character {
        let isUpper: Bool = byte >= 65 && byte <= 90
        return Character(UnicodeScalar(isUpper ? byte + 32 : byte))
    }

    private mutating func tagName(_ byte: UInt8, at offset: Int) {
        let isEnd: Bool = state.place == .endTagName
        switch byte {
        case UInt8(ascii: ">"):
            if isEnd { end(at: offset) } else { close(selfClosing: false, at: offset) }
        case UInt8(ascii: "/") where !isEnd: state.place = .selfClosing
        case _ where ASCII.isSpace(byte):
            if !isEnd { state.place = .tag }
        default: state.name.append(lowercase(byte))
        }
    }

    private mutating func inTag(_ byte: UInt8, at offset: Int) {
        if ASCII.isSpace(byte) { return }
        switch byte {
        case UInt8(ascii: ">"): close(selfClosing: false, at: offset)
        case UInt8(ascii: "/"): state.place = .selfClosing
        case UInt8(ascii: "=") where state.place == .afterName:
            state.place = .beforeValue
        case ASCII.doubleQuote, ASCII.singleQuote, UInt8(ascii: "<"), UInt8(ascii: "="):
            report("unexpected \(Character(UnicodeScalar(byte))) in the tag <\(state.name)>", at: offset)
        default:
            state.attributes.append(ViewMarkup.Attribute(name: String(lowercase(byte)), offset: offset))
            state.place = .attributeName
        }
    }

    private mutating func attributeName(_ byte: UInt8, at offset: Int) {
        switch byte {
        case UInt8(ascii: "="):
            finishName()
            state.place = .beforeValue
        case UInt8(ascii: ">"):
            finishName()
            close(selfClosing: false, at: offset)
        case UInt8(ascii: "/"):
            finishName()
            state.place = .selfClosing
        case _ where ASCII.isSpace(byte):
            finishName()
            state.place = .afterName
        default:
            state.attributes[state.attributes.count - 1].name.append(lowercase(byte))
        }
    }

    private mutating func finishName() {
        guard let attribute = state.attributes.last else { return }
        if state.attributes.dropLast().contains(where: { $0.name == attribute.name }) {
            report("the attribute \(attribute.name) is there twice", at: attribute.offset)
        }
        if attribute.name.hasPrefix("on"), attribute.name.count > 2 {
            report(
                "the attribute \(attribute.name) runs script in markup, which the portal forbids", at: attribute.offset)
        }
    }

    private mutating func beforeValue(_ byte: UInt8, at offset: Int) {
        if ASCII.isSpace(byte) { return }
        if byte == ASCII.doubleQuote || byte == ASCII.singleQuote {
            state.place = .value(quote: byte)
            state.url = .start
        } else {
            report("put the value of this attribute in quotes", at: offset)
            state.place = .tag
        }
    }

    private mutating func value(_ byte: UInt8, at offset: Int) {
        guard !state.attributes.isEmpty else { return }
        let last: Int = state.attributes.count - 1
        state.attributes[last].value.append(Character(UnicodeScalar(byte)))
        guard ViewMarkup.isURL(state.attributes[last].name) else { return }
        let endsScheme: Bool = [UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#")].contains(byte)
        switch state.url {
        case .start:
            state.url = endsScheme ? .rest : .scheme(String(lowercase(byte)))
        case .scheme(let scheme):
            if byte == UInt8(ascii: ":") {
                if !ViewEscaping.allowedSchemes.contains(scheme) {
                    report("links of the scheme \(scheme): are not allowed", at: offset)
                }
                state.url = .rest
            } else {
                state.url = endsScheme ? .rest : .scheme(scheme + String(lowercase(byte)))
            }
        case .afterOutput:
            if byte == UInt8(ascii: ":") { report("an output cannot be the scheme of a URL", at: offset) }
            if endsScheme { state.url = .rest }
        case .rest, .unclear: break
        }
    }

    private mutating func endValue(at offset: Int) {
        state.place = .tag
    }

    private mutating func declaration(_ byte: UInt8) {
        remember(byte, 2)
        if state.recent == "--" {
            state.place = .comment
            state.recent = ""
        } else if byte == UInt8(ascii: ">") {
            state.place = .text
        }
    }

    private mutating func close(selfClosing: Bool, at offset: Int) {
        let name: String = state.name
        let foreign: Bool = state.open.contains { $0.name == "svg" || $0.name == "math" } || name == "svg"
        state.place = .text
        if ["plaintext", "xmp", "listing", "noembed", "noframes", "marquee", "font", "center"].contains(name) {
            report("<\(name)> is not used any more", at: state.nameOffset)
        }
        checkElement()
        if ViewMarkup.void.contains(name) { return }
        if selfClosing {
            if !foreign { report("<\(name)> needs a closing tag: /> does not close it", at: state.nameOffset) }
            return
        }
        if name == "form", state.open.contains(where: { $0.name == "form" }) {
            report("a form cannot stand inside a form", at: state.nameOffset)
        }
        state.open.append(
            ViewMarkup.Element(name: name, offset: state.nameOffset, needsToken: name == "form" && isPost))
        state.recent = ""
        switch name {
        case "script", "style":
            let type: String? = attribute("type")?.value.lowercased()
            state.isJSON = name == "script" && (type == "application/json" || type == "application/ld+json")
            state.place = .rawText(name)
        case "title", "textarea": state.place = .characters(name)
        default: break
        }
    }

    func attribute(_ name: String) -> ViewMarkup.Attribute? {
        state.attributes.first { $0.name == name }
    }

    private var isPost: Bool {
        guard let method = attribute("method") else { return false }
        return method.hasOutput || method.value.lowercased() == "post"
    }

    private mutating func end(at offset: Int) {
        let name: String = state.name
        state.place = .text
        guard let last = state.open.last else {
            return report("</\(name)> closes nothing that was opened here", at: state.nameOffset)
        }
        guard last.name == name else {
            report("</\(name)> comes before </\(last.name)>", at: state.nameOffset)
            if let index = state.open.lastIndex(where: { $0.name == name }) {
                state.open.removeSubrange(index...)
            }
            return
        }
        state.open.removeLast()
        if last.needsToken { report("a form that posts needs {% csrf %}", at: last.offset) }
    }
}
