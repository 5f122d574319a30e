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
        var code = 0
        for line in lines.split(whereSeparator: { $0 == 13 || $0 == 10 }) {
            let digits: ArraySlice<UInt8> = line.prefix(3)
            if digits.count == 3, let number = Int(String(decoding: digits, as: UTF8.self)) { code = number }
            if !text.isEmpty { text.append(32) }
            text += line.dropFirst(4)
        }
        let whole = String(decoding: text.prefix(2000), as: UTF8.self)
        let (enhanced, rest) = EnhancedCode.split(whole)
        self.init(stage: stage, code: code, enhancedCode: enhanced, text: rest)
    }

    /// As it came: `550 5.1.1 No such user`.
    package var line: String {
        [String(code), enhancedCode, text.isEmpty ? nil : text].compactMap { $0 }.joined(separator: " ")
    }
}

/// Enhanced status codes (RFC 3463).
enum EnhancedCode {
    /// The code a text begins with, and the text after it.
    static func split(_ text: String) -> (code: String?, rest: String) {
        let word: Substring = text.prefix { $0 != " " && $0 != ";" }
        guard isCode(word) else { return (nil, text) }
        let rest: Substring = text[word.endIndex...].drop { $0 == " " || $0 == ";" }
        return (String(word), String(rest))
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
