import Core

/// Encoded-words (RFC 2047): how text beyond ASCII travels in a header.
package enum EncodedWord {
    package enum Form: Sendable {
        /// Readable where most of the text is ASCII.
        case quoted
        case base64
    }

    private static let prefix = "=?UTF-8?"
    /// A word's length at most, and of that the frame around the text.
    private static let wordLimit = 75
    private static let frame = 12

    /// Quoted unless that is more than a tenth longer.
    static func preferredForm(for text: [UInt8]) -> Form {
        let quoted: Int = text.reduce(0) { $0 + quotedWidth($1) }
        let base64: Int = (text.count + 2) / 3 * 4
        return quoted * 10 <= base64 * 11 ? .quoted : .base64
    }

    /// Words of at most 75 characters, split between whole characters, joined by CRLF and a space.
    /// - Parameter taken: characters already on the first line, which then gets a shorter word.
    package static func encode(_ text: String, form: Form? = nil, taken: Int = 0) -> String {
        let form: Form = form ?? preferredForm(for: Array(text.utf8))
        var words: [String] = []
        var piece: [UInt8] = []
        var width = 0
        var room: Int = max(4, min(wordLimit, 76 - taken) - frame)
        for character in text.unicodeScalars {
            let bytes: [UInt8] = Array(String(character).utf8)
            let wider: Int = form == .quoted ? width + bytes.reduce(0) { $0 + quotedWidth($1) } : 0
            let fits: Bool = form == .quoted ? wider <= room : (piece.count + bytes.count + 2) / 3 * 4 <= room
            if !fits, !piece.isEmpty {
                words.append(word(piece, form))
                piece = []
                width = 0
                room = wordLimit - frame
            }
            piece += bytes
            width = form == .quoted ? width + bytes.reduce(0) { $0 + quotedWidth($1) } : 0
        }
        words.append(word(piece, form))
        return words.joined(separator: "\r\n ")
    }

    private static func word(_ bytes: [UInt8], _ form: Form) -> String {
        switch form {
        case .base64: return "\(prefix)B?\(Base64.encode(bytes))?="
        case .quoted:
            var text: [UInt8] = []
            for byte in bytes { appendQuoted(byte, to: &text) }
            return "\(prefix)Q?\(String(decoding: text, as: UTF8.self))?="
        }
    }

    /// Only the characters that are allowed in every place, display names among them (RFC 2047 §5, rule 3).
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "!"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "/"): true
        default: false
        }
    }

    private static func quotedWidth(_ byte: UInt8) -> Int {
        byte == 32 || isPlain(byte) ? 1 : 3
    }

    private static func appendQuoted(_ byte: UInt8, to text: inout [UInt8]) {
        if byte == 32 {
            text.append(UInt8(ascii: "_"))
        } else if isPlain(byte) {
            text.append(byte)
        } else {
            text.append(UInt8(ascii: "="))
            text += Hexadecimal.encode([byte]).uppercased().utf8
        }
    }
}
