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

/// What the server said.
package struct SMTPReply: Sendable, Equatable {
    package let stage: SMTPStage
    /// Three digits, RFC 5321 §4.2.
    package let code: Int
    /// The text of all lines after their codes, without the enhanced code.
    package let text: String
    /// `class.subject.detail` of RFC 3463, where the text begins with one.
    package let enhancedCode: String?

    package init(stage: SMTPStage, code: Int, enhancedCode: String? = nil, text: String) {
        self.stage = stage
        self.code = code
        self.enhancedCode = enhancedCode
        self.text = text
    }

    /// Reads the lines of one reply, each with its code.
    init(stage: SMTPStage, lines: [UInt8]) {
        var text: [UInt8] = []
        text.reserveCapacity(lines.count)
        var start: Int = 0
        while start < lines.count {
            let end: Int = lines[start...].firstIndex(of: 10) ?? lines.count
            let line: ArraySlice<UInt8> = lines[start..<(end > start && lines[end - 1] == 13 ? end - 1 : end)]
            if !text.isEmpty { text.append(32) }
            text += line.dropFirst(4)
            start = end + 1
        }
        let enhanced: Int = EnhancedCode.length(at: text)
        var rest: ArraySlice<UInt8> = text.prefix(2000)
        if enhanced > 0 { rest = rest.dropFirst(enhanced).drop { $0 == 32 || $0 == UInt8(ascii: ";") } }
        var code = 0
        for digit in lines.prefix(3) where (48...57).contains(digit) { code = code * 10 + Int(digit - 48) }
        self.init(
            stage: stage, code: code,
            enhancedCode: enhanced > 0 ? String(decoding: text[..<enhanced], as: UTF8.self) : nil,
            text: String(decoding: rest, as: UTF8.self))
    }

    /// Whether the server agrees: 2xx.
    var isPositive: Bool { code / 100 == 2 }

    /// As it came: `550 5.1.1 No such user`.
    package var line: String {
        var line = String(code)
        if let enhancedCode { line += " " + enhancedCode }
        if !text.isEmpty { line += " " + text }
        return line
    }
}

/// Enhanced status codes (RFC 3463).
enum EnhancedCode {
    /// How many bytes the code has that a text begins with; 0 when it begins with none.
    static func length(at text: [UInt8]) -> Int {
        let word: ArraySlice<UInt8> = text.prefix(9).prefix { $0 != 32 && $0 != UInt8(ascii: ";") }
        guard let first = word.first, first == 50 || first == 52 || first == 53 else { return 0 }
        return isCode(Substring(decoding: word, as: UTF8.self)) ? word.count : 0
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
            if isCode(Substring(code)) { return code }
        }
        return nil
    }

    static func isCode(_ word: Substring) -> Bool {
        let parts: [Substring] = word.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "2" || parts[0] == "4" || parts[0] == "5" else { return false }
        return parts.dropFirst().allSatisfy { part in
            (1...3).contains(part.utf8.count) && part.utf8.allSatisfy { (48...57).contains($0) }
        }
    }
}
