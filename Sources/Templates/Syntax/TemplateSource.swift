/// The text of one template. Everything that reads it counts in bytes; people are told lines and columns.
package struct TemplateSource: Sendable {
    package let name: String?
    package let bytes: [UInt8]

    package init(_ text: String, name: String? = nil) {
        self.name = name
        self.bytes = Array(text.utf8)
    }

    package func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range.clamped(to: bytes.indices)], as: UTF8.self)
    }

    /// The line and column (both from 1, the column in characters) of a byte offset.
    package func position(of offset: Int) -> (line: Int, column: Int) {
        let end: Int = min(max(0, offset), bytes.count)
        var line = 1
        var start = 0
        for index in 0..<end where bytes[index] == ASCII.newline {
            line += 1
            start = index + 1
        }
        return (line, String(decoding: bytes[start..<end], as: UTF8.self).count + 1)
    }

    /// The positions of byte offsets, found in one pass: a template may have thousands of places.
    func positions(of offsets: [Int]) -> [(line: Int, column: Int)] {
        var known: [Int: (line: Int, column: Int)] = [:]
        var place = 0
        var position: (line: Int, column: Int) = (1, 1)
        for offset in offsets.sorted() {
            let end: Int = min(max(place, offset), bytes.count)
            var start: Int = place
            for index in place..<end where bytes[index] == ASCII.newline {
                position = (position.line + 1, 1)
                start = index + 1
            }
            position.column += String(decoding: bytes[start..<end], as: UTF8.self).count
            place = end
            known[offset] = position
        }
        return offsets.map { known[$0] ?? position }
    }

    /// The line that holds a byte offset, without its line break.
    package func line(at offset: Int) -> String {
        let place: Int = min(max(0, offset), bytes.count)
        let start: Int = bytes[..<place].lastIndex(of: ASCII.newline).map { $0 + 1 } ?? 0
        var end: Int = bytes[place...].firstIndex(of: ASCII.newline) ?? bytes.count
        if end > start, bytes[end - 1] == ASCII.carriageReturn { end -= 1 }
        return String(decoding: bytes[start..<max(start, end)], as: UTF8.self)
    }
}

/// The characters that the template syntax gives a meaning.
enum ASCII {
    static let tab = UInt8(ascii: "\t")
    static let newline = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let dash = UInt8(ascii: "-")
    static let dot = UInt8(ascii: ".")
    static let underscore = UInt8(ascii: "_")
    static let questionMark = UInt8(ascii: "?")
    static let openBrace = UInt8(ascii: "{")
    static let closeBrace = UInt8(ascii: "}")
    static let percent = UInt8(ascii: "%")
    static let singleQuote = UInt8(ascii: "'")
    static let doubleQuote = UInt8(ascii: "\"")

    /// Space, tab, line feed, vertical tab, form feed, carriage return.
    static func isSpace(_ byte: UInt8) -> Bool {
        byte == space || (byte >= 9 && byte <= 13)
    }

    static func isDigit(_ byte: UInt8) -> Bool {
        byte >= 48 && byte <= 57
    }

    static func isLetter(_ byte: UInt8) -> Bool {
        let lower: UInt8 = byte | 32
        return lower >= 97 && lower <= 122
    }

    /// A letter, a digit or an underscore; every byte of a character outside ASCII counts as a letter.
    static func isWord(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || byte == underscore || byte >= 0x80
    }
}
