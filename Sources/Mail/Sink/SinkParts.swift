import Core
import Glibc

/// The sink's side of AUTH PLAIN and AUTH LOGIN.
struct SinkSignIn {
    enum Step {
        case ask(String)
        case done(user: String, password: String)
        case wrong
    }

    private enum State: Equatable {
        case idle, plain, user
        case password(user: String)
    }

    private var state = State.idle

    var isExpected: Bool { state != .idle }

    mutating func begin(_ line: String) -> Step {
        let words: [Substring] = line.split(separator: " ")
        switch words.dropFirst().first?.uppercased() {
        case "PLAIN":
            state = .plain
            return words.count > 2 ? take(String(words[2])) : .ask("")
        case "LOGIN":
            state = .user
            return .ask(Base64.encode(Array("Username:".utf8)))
        default: return .wrong
        }
    }

    mutating func take(_ line: String) -> Step {
        let current: State = state
        state = .idle
        guard let bytes = Base64.decode(line) else { return .wrong }
        let text = String(decoding: bytes, as: UTF8.self)
        switch current {
        case .idle: return .wrong
        case .plain:
            let parts: [Substring] = text.split(separator: "\0", omittingEmptySubsequences: false)
            return parts.count == 3 ? .done(user: String(parts[1]), password: String(parts[2])) : .wrong
        case .user:
            state = .password(user: text)
            return .ask(Base64.encode(Array("Password:".utf8)))
        case .password(let user): return .done(user: user, password: text)
        }
    }
}

/// Reading what a sink was given.
enum SinkMessage {
    private static let field: [UInt8] = Array("Message-ID: <".utf8)

    /// The index of a dot that stands alone on its line, after CRLF.
    static func loneDot(in bytes: UnsafeRawBufferPointer) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        var start = 0
        while let hit = memchr(base + start, 10, bytes.count - start) {
            let dot: Int = UnsafeRawPointer(hit) - base + 1
            guard dot + 2 < bytes.count else { return nil }
            let isLone: Bool = bytes[dot] == 46 && bytes[dot + 1] == 13 && bytes[dot + 2] == 10
            if isLone, dot > 1, bytes[dot - 2] == 13 { return dot }
            start = dot
        }
        return nil
    }

    /// The id in the header that begins a line with `Message-ID: <`.
    static func messageID(in message: UnsafeRawBufferPointer) -> String {
        guard let base = message.baseAddress else { return "" }
        var start = 0
        while start + field.count < message.count {
            if memcmp(base + start, field, field.count) == 0 {
                let value = message[(start + field.count)...].prefix { $0 != UInt8(ascii: ">") && $0 != 13 }
                return String(decoding: value, as: UTF8.self)
            }
            guard let hit = memchr(base + start, 10, message.count - start) else { return "" }
            let next: Int = UnsafeRawPointer(hit) - base + 1
            // An empty line ends the headers.
            if next - start <= 2 { return "" }
            start = next
        }
        return ""
    }

    /// Takes away the dot that SMTP puts before each line that begins with one.
    static func withoutStuffing(_ message: UnsafeRawBufferPointer) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(message.count)
        var isLineStart = true
        for byte in message {
            if isLineStart, byte == UInt8(ascii: ".") {
                isLineStart = false
                continue
            }
            isLineStart = byte == 10
            output.append(byte)
        }
        return output
    }
}
