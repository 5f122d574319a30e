/// The text filters that know about HTML and line breaks.
enum LiquidMarkup {
    /// Escapes what is not an entity already.
    static func escapeOnce(_ text: String) -> String {
        let bytes: [UInt8] = Array(text.utf8)
        var result: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            let entity: [UInt8] = HTMLEntity.of(byte)
            if entity.isEmpty || (byte == UInt8(ascii: "&") && isEntity(bytes, at: index + 1)) {
                result.append(byte)
            } else {
                result += entity
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// `amp;` or `#39;`, after the ampersand. Names longer than any that exists are not looked at.
    private static func isEntity(_ bytes: [UInt8], at start: Int) -> Bool {
        var index: Int = start
        let isNumber: Bool = index < bytes.count && bytes[index] == UInt8(ascii: "#")
        if isNumber { index += 1 }
        let first: Int = index
        while index < bytes.count, index - first < 64,
            isNumber ? ASCII.isDigit(bytes[index]) : ASCII.isLetter(bytes[index])
        {
            index += 1
        }
        return index > first && index < bytes.count && bytes[index] == UInt8(ascii: ";")
    }

    static func breaks(_ text: String) -> String {
        replaceLineBreaks(text, with: Array("<br />\n".utf8))
    }

    static func withoutNewlines(_ text: String) -> String {
        replaceLineBreaks(text, with: [])
    }

    private static func replaceLineBreaks(_ text: String, with replacement: [UInt8]) -> String {
        let bytes: [UInt8] = Array(text.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for (index, byte) in bytes.enumerated() {
            if byte == ASCII.newline {
                result += replacement
            } else if byte != ASCII.carriageReturn || index + 1 >= bytes.count || bytes[index + 1] != ASCII.newline {
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Without scripts, styles and comments, and then without tags.
    static func stripped(_ text: String) -> String {
        var bytes: [UInt8] = Array(text.utf8)
        bytes = withoutBlocks(bytes)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "<"), let end = bytes[index...].firstIndex(of: UInt8(ascii: ">")) {
                index = end + 1
            } else if bytes[index] == UInt8(ascii: "<") {
                return String(decoding: result + bytes[index...], as: UTF8.self)
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static let blocks: [(open: [UInt8], close: [UInt8])] = [
        (Array("<script".utf8), Array("</script>".utf8)),
        (Array("<!--".utf8), Array("-->".utf8)),
        (Array("<style".utf8), Array("</style>".utf8)),
    ]

    /// Once an end has not been found it is not looked for again, so hostile text costs no more than other text.
    private static func withoutBlocks(_ bytes: [UInt8]) -> [UInt8] {
        var closable: [Bool] = blocks.map { _ in true }
        var result: [UInt8] = []
        var index = 0
        outer: while index < bytes.count {
            if bytes[index] == UInt8(ascii: "<") {
                for (number, block) in blocks.enumerated()
                where closable[number] && LiquidBytes.matches(block.open, in: bytes, at: index) {
                    if let end = LiquidBytes.find(block.close, in: bytes, from: index + block.open.count) {
                        index = end + block.close.count
                        continue outer
                    }
                    closable[number] = false
                }
            }
            result.append(bytes[index])
            index += 1
        }
        return result
    }
}
