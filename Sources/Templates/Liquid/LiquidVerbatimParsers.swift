/// The tags whose content is not compiled: raw, comment, doc and `#`.
extension LiquidParser {
    /// Comments stand inside each other, and a raw block inside one must end.
    mutating func skipComment(_ tag: Tag) throws(TemplateError) {
        var open = 1
        while let token = take() {
            guard token.kind == .tag else { continue }
            switch self.tag(of: token).name {
            case "raw": try skipRaw(token)
            case "comment": open += 1
            case "endcomment": open -= 1
            default: break
            }
            if open == 0 { return }
        }
        throw neverClosed(tag)
    }

    private mutating func skipRaw(_ start: TemplateToken) throws(TemplateError) {
        while let token = take() {
            if closing(token)?.name == "endraw" { return }
        }
        throw error("'raw' is never closed", at: start.range.lowerBound)
    }

    func inlineComment(_ tag: Tag) throws(TemplateError) {
        var isNewLine = false
        for index in tag.markup {
            let byte: UInt8 = source.bytes[index]
            if byte == ASCII.newline {
                isNewLine = true
            } else if isNewLine, !ASCII.isSpace(byte) {
                guard byte == UInt8(ascii: "#") else {
                    throw error("every line of this comment must begin with #", at: index)
                }
                isNewLine = false
            }
        }
    }

    mutating func raw(_ tag: Tag) throws(TemplateError) -> LiquidNode {
        try checkBare(tag)
        var body: [UInt8] = []
        while let token = take() {
            if let end = closing(token), end.name == "endraw" {
                body += source.bytes[token.range.lowerBound..<end.start]
                return body.isEmpty ? .nothing : .raw(body)
            }
            body += source.bytes[token.range]
        }
        throw neverClosed(tag)
    }

    mutating func doc(_ tag: Tag) throws(TemplateError) -> LiquidNode {
        try checkBare(tag)
        var isEmpty = true
        while let token = take() {
            guard let end = closing(token) else {
                isEmpty = false
                continue
            }
            if end.name == "doc" { throw error("doc cannot stand inside doc", at: token.range.lowerBound) }
            if end.name == "enddoc" { return isEmpty && end.start == token.range.lowerBound ? .nothing : .raw([]) }
            isEmpty = false
        }
        throw neverClosed(tag)
    }

    private func checkBare(_ tag: Tag) throws(TemplateError) {
        guard source.bytes[tag.markup].allSatisfy(ASCII.isSpace) else {
            throw error("\(tag.name) takes nothing: {% \(tag.name) %}", at: tag.range.lowerBound)
        }
    }

    /// The last tag inside a token that ends with `%}`, which may be a broken one: its name and where it begins.
    private func closing(_ token: TemplateToken) -> (name: String, start: Int)? {
        guard !isInLines, token.kind == .tag || token.kind == .unclosedOutput else { return nil }
        let bytes: [UInt8] = source.bytes
        let end: Int = token.range.upperBound
        guard token.range.count >= 4, bytes[end - 1] == ASCII.closeBrace, bytes[end - 2] == ASCII.percent else {
            return nil
        }
        var start: Int = end - 4
        while start >= token.range.lowerBound {
            if bytes[start] == ASCII.openBrace, bytes[start + 1] == ASCII.percent {
                var index: Int = start + 2
                if index < end, bytes[index] == ASCII.dash { index += 1 }
                while index < end, ASCII.isSpace(bytes[index]) { index += 1 }
                let first: Int = index
                while index < end, ASCII.isWord(bytes[index]) { index += 1 }
                if index > first { return (source.text(first..<index), start) }
            }
            start -= 1
        }
        return nil
    }
}
