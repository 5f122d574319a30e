/// Where in a transaction a reply came.
package enum SMTPStage: String, Sendable, Equatable, Codable {
    /// Before the transaction: greeting, EHLO, STARTTLS, AUTH.
    case session
    /// After MAIL FROM: about the sender.
    case sender
    /// After RCPT TO: about the recipient.
    case recipient
    /// After DATA, before the message.
    case data
    /// After the message and its dot.
    case message
}

/// What the server said. Its words are looked at only when somebody asks for them: of most replies the code is enough.
package struct SMTPReply: Sendable, Equatable {
    package let stage: SMTPStage
    /// Three digits, RFC 5321 §4.2.
    package let code: Int
    /// The lines as they came, each with its code.
    private let lines: [UInt8]

    /// Of longer replies the rest is left out.
    private static let textLimit = 2000

    package init(stage: SMTPStage, code: Int, enhancedCode: String? = nil, text: String) {
        let words: [String] = [String(code)] + (enhancedCode.map { [$0] } ?? []) + (text.isEmpty ? [] : [text])
        self.init(stage: stage, lines: Array(words.joined(separator: " ").utf8))
    }

    /// Reads the lines of one reply, each with its code.
    init(stage: SMTPStage, lines: [UInt8]) {
        var code = 0
        for digit in lines.prefix(3) where (48...57).contains(digit) { code = code * 10 + Int(digit - 48) }
        self.stage = stage
        self.code = code
        self.lines = lines
    }

    /// The text of all lines after their codes, without the enhanced code.
    package var text: String { String(decoding: parts.text, as: UTF8.self) }

    /// `class.subject.detail` of RFC 3463, where the text begins with one.
    package var enhancedCode: String? {
        let code: ArraySlice<UInt8> = parts.enhancedCode
        return code.isEmpty ? nil : String(decoding: code, as: UTF8.self)
    }

    private var parts: (enhancedCode: ArraySlice<UInt8>, text: ArraySlice<UInt8>) {
        let words: [UInt8] = words
        let count: Int = EnhancedCode.length(at: words)
        guard count > 0 else { return ([], words[...]) }
        return (words[..<count], words[count...].drop { $0 == 32 || $0 == UInt8(ascii: ";") })
    }

    /// All lines in one, without the code of each.
    private var words: [UInt8] {
        var words: [UInt8] = []
        words.reserveCapacity(lines.count)
        var start: Int = 0
        while start < lines.count {
            let end: Int = lines[start...].firstIndex(of: 10) ?? lines.count
            let line: ArraySlice<UInt8> = lines[start..<(end > start && lines[end - 1] == 13 ? end - 1 : end)]
            if !words.isEmpty { words.append(32) }
            words += line.dropFirst(4)
            start = end + 1
        }
        if words.count > Self.textLimit { words.removeSubrange(Self.textLimit...) }
        return words
    }

    /// Whether the server agrees: 2xx.
    var isPositive: Bool { code / 100 == 2 }

    /// In one line: `550 5.1.1 No such user`.
    package var line: String {
        let (enhancedCode, text) = parts
        var line = Array(String(code).utf8)
        for part in [enhancedCode, text] where !part.isEmpty {
            line.append(32)
            line += part
        }
        return String(decoding: line, as: UTF8.self)
    }
}

/// Enhanced status codes (RFC 3463).
enum EnhancedCode {
    /// How many bytes the code has that a text begins with; 0 when it begins with none.
    static func length(at text: [UInt8]) -> Int {
        let word: ArraySlice<UInt8> = text.prefix(9).prefix { $0 != 32 && $0 != UInt8(ascii: ";") }
        return isCode(word) ? word.count : 0
    }

    /// The code a text begins with, and the text after it.
    static func split(_ text: String) -> (code: String?, rest: String) {
        let count: Int = length(at: Array(text.utf8.prefix(10)))
        guard count > 0 else { return (nil, text) }
        return (String(text.prefix(count)), String(text.dropFirst(count).drop { $0 == " " || $0 == ";" }))
    }

    /// The first code anywhere in a text.
    static func find(in text: some StringProtocol) -> String? {
        for word in text.split(whereSeparator: { !($0.isASCII && $0.isNumber) && $0 != "." }) {
            let trimmed: Substring = Substring(word).drop { $0 == "." }
            let code = String(trimmed.reversed().drop { $0 == "." }.reversed())
            if isCode(code.utf8) { return code }
        }
        return nil
    }

    /// A class of 2, 4 or 5, a subject and a detail of up to three digits each, with dots between them.
    static func isCode(_ word: some Sequence<UInt8>) -> Bool {
        var part = 0
        var digits = 0
        for byte in word {
            switch byte {
            case UInt8(ascii: "."):
                guard digits > 0, part < 2 else { return false }
                part += 1
                digits = 0
            case 48...57:
                digits += 1
                let isClass: Bool = part == 0
                guard isClass ? digits == 1 && [50, 52, 53].contains(byte) : digits <= 3 else { return false }
            default: return false
            }
        }
        return part == 2 && digits > 0
    }
}
