import Core

/// Header values as bytes: folded, quoted or encoded as their place demands, and never able to add a header.
enum HeaderText {
    /// A line's length that is aimed for (RFC 5322 §2.1.1).
    static let preferredLength = 78
    /// A line's length that must not be passed.
    static let maximumLength = 998

    /// Whether a text holds a character that could end or break a header line: CR, LF, NUL and the other controls but
    /// tab.
    static func hasControl(_ text: some Sequence<UInt8>) -> Bool {
        text.contains { $0 < 32 && $0 != 9 || $0 == 127 }
    }

    private static func isPrintableASCII(_ text: ArraySlice<UInt8>) -> Bool {
        text.allSatisfy { $0 >= 32 && $0 < 127 }
    }

    /// Turns the bytes of `output` from `start`, put there as they are, into the value of an unstructured field
    /// (Subject).
    ///
    /// Written this way because almost every subject is short ASCII and may simply stay where it is. No slice of `output` may
    /// outlive its statement: with one around, the change would copy all messages before this one.
    static func finishUnstructured(from start: Int, name: String, in output: inout [UInt8]) {
        let taken: Int = name.utf8.count + 2
        let isPlain: Bool = isPlain(output[start...])
        if isPlain, taken + output.count - start <= preferredLength { return }
        let text = Array(output[start...])
        output.removeSubrange(start...)
        if isPlain, appendFolded(text, taken: taken, to: &output) { return }
        output += EncodedWord.encode(String(decoding: text, as: UTF8.self), taken: taken).utf8
    }

    private static func isPlain(_ text: ArraySlice<UInt8>) -> Bool {
        isPrintableASCII(text) && !looksEncoded(text) && !hasEdgeSpace(text)
    }

    private static func hasEdgeSpace(_ text: ArraySlice<UInt8>) -> Bool {
        text.first == 32 || text.last == 32
    }

    /// Text that a reader would take for an encoded-word has to be encoded itself.
    private static func looksEncoded(_ text: ArraySlice<UInt8>) -> Bool {
        var previous: UInt8 = 0
        for byte in text {
            if byte == UInt8(ascii: "?"), previous == UInt8(ascii: "=") { return true }
            previous = byte
        }
        return false
    }

    /// Breaks ASCII at single spaces; false when a line would still be too long or a fold would lose a space.
    private static func appendFolded(_ text: [UInt8], taken: Int, to output: inout [UInt8]) -> Bool {
        let words: [ArraySlice<UInt8>] = text.split(separator: 32, omittingEmptySubsequences: false)
        guard !words.contains(where: { $0.isEmpty || $0.count > 900 }) else { return false }
        var column: Int = taken
        for (index, word) in words.enumerated() {
            if index > 0 {
                if column + 1 + word.count > preferredLength {
                    output += [13, 10]
                    column = 0
                }
                output.append(32)
                column += 1
            }
            output += word
            column += word.count
        }
        return true
    }

    /// Appends `name <address>`, folded before the address when it would not fit.
    static func appendMailbox(name: String, address: String, taken: Int, to output: inout [UInt8]) {
        guard !name.isEmpty else {
            output += address.utf8
            return
        }
        let start: Int = output.count
        appendPhrase(name, taken: taken, to: &output)
        let lineStart: Int = output[start...].lastIndex(of: 10).map { $0 + 1 } ?? start - taken
        if output.count - lineStart + address.utf8.count + 3 > preferredLength { output += [13, 10] }
        output += [32, UInt8(ascii: "<")]
        output += address.utf8
        output.append(UInt8(ascii: ">"))
    }

    /// Appends a display name: plain words, a quoted string, or encoded-words.
    static func appendPhrase(_ name: String, taken: Int, to output: inout [UInt8]) {
        let bytes: [UInt8] = Array(name.utf8)
        guard isPrintableASCII(bytes[...]), !looksEncoded(bytes[...]), bytes.count <= 200 else {
            output += EncodedWord.encode(name, taken: taken).utf8
            return
        }
        if bytes.allSatisfy({ isAtom($0) || $0 == 32 }), !hasEdgeSpace(bytes[...]) {
            output += bytes
            return
        }
        output.append(UInt8(ascii: "\""))
        for byte in bytes {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { output.append(UInt8(ascii: "\\")) }
            output.append(byte)
        }
        output.append(UInt8(ascii: "\""))
    }

    private static let atomExtras: Set<UInt8> = Set("!#$%&'*+-/=?^_`{|}~".utf8)

    static func isAtom(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: atomExtras.contains(byte)
        }
    }
}
