/// A file of SQL cut into its statements, so that each can be run, and blamed, by itself.
struct SQLScript {
    struct Piece: Equatable {
        let text: String
        /// The line, from 1, on which the statement begins.
        let line: Int
    }

    private let bytes: [UInt8]
    private var position: Int = 0
    private(set) var statements: [Piece] = []

    init(_ text: String) {
        bytes = Array(text.utf8)
        split()
    }

    private mutating func split() {
        var start: Int = 0
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: ";") {
                add(start..<position)
                position += 1
                start = position
            } else {
                skipToken()
            }
        }
        add(start..<bytes.count)
    }

    /// Keeps a statement unless it is nothing but space and comments.
    private mutating func add(_ range: Range<Int>) {
        let resume: Int = position
        defer { position = resume }
        position = range.lowerBound
        while position < range.upperBound {
            let before: Int = position
            if bytes[position] <= 32 {
                position += 1
            } else if !skipComment() {
                break
            }
            if position == before { break }
        }
        guard position < range.upperBound else { return }
        let line: Int = 1 + bytes[..<position].count { $0 == 10 }
        statements.append(Piece(text: String(decoding: bytes[position..<range.upperBound], as: UTF8.self), line: line))
    }

    private mutating func skipToken() {
        if skipComment() { return }
        switch bytes[position] {
        case UInt8(ascii: "'"):
            let before: UInt8 = position > 0 ? bytes[position - 1] | 0x20 : 0
            skipQuoted(until: UInt8(ascii: "'"), hasEscapes: before == UInt8(ascii: "e"))
        case UInt8(ascii: "\""): skipQuoted(until: UInt8(ascii: "\""), hasEscapes: false)
        case UInt8(ascii: "$"): skipDollarQuoted()
        default: position += 1
        }
    }

    private mutating func skipComment() -> Bool {
        guard position + 1 < bytes.count else { return false }
        if bytes[position] == UInt8(ascii: "-"), bytes[position + 1] == UInt8(ascii: "-") {
            while position < bytes.count, bytes[position] != 10 { position += 1 }
            return true
        }
        guard bytes[position] == UInt8(ascii: "/"), bytes[position + 1] == UInt8(ascii: "*") else { return false }
        var depth: Int = 0
        repeat {
            let pair: (UInt8, UInt8) = (bytes[position], position + 1 < bytes.count ? bytes[position + 1] : 0)
            if pair == (UInt8(ascii: "/"), UInt8(ascii: "*")) {
                depth += 1
                position += 2
            } else if pair == (UInt8(ascii: "*"), UInt8(ascii: "/")) {
                depth -= 1
                position += 2
            } else {
                position += 1
            }
        } while depth > 0 && position < bytes.count
        return true
    }

    private mutating func skipQuoted(until quote: UInt8, hasEscapes: Bool) {
        position += 1
        while position < bytes.count, bytes[position] != quote {
            position += hasEscapes && bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        position += 1
    }

    /// `$tag$ … $tag$`; a lone `$` is passed over.
    private mutating func skipDollarQuoted() {
        var end: Int = position + 1
        while end < bytes.count, isTagByte(bytes[end]) { end += 1 }
        guard end < bytes.count, bytes[end] == UInt8(ascii: "$") else {
            position += 1
            return
        }
        let tag: ArraySlice<UInt8> = bytes[position...end]
        position = end + 1
        while position < bytes.count, !bytes[position...].starts(with: tag) { position += 1 }
        position = min(position + tag.count, bytes.count)
    }

    private func isTagByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
