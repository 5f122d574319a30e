/// Searching in UTF-8. A valid string is only ever found at the start of a character, so bytes are enough.
enum LiquidBytes {
    /// The first place of a text in another one, counted in bytes.
    static func find(_ needle: String, in text: String) -> Int? {
        find(Array(needle.utf8), in: Array(text.utf8), from: 0)
    }

    static func find(_ needle: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard let first = needle.first else { return start <= bytes.count ? start : nil }
        var index: Int = start
        let last: Int = bytes.count - needle.count
        while index <= last {
            if bytes[index] == first, matches(needle, in: bytes, at: index) { return index }
            index += 1
        }
        return nil
    }

    static func findLast(_ needle: [UInt8], in bytes: [UInt8]) -> Int? {
        var index: Int = bytes.count - needle.count
        while index >= 0 {
            if matches(needle, in: bytes, at: index) { return index }
            index -= 1
        }
        return nil
    }

    static func matches(_ needle: [UInt8], in bytes: [UInt8], at place: Int) -> Bool {
        guard place + needle.count <= bytes.count else { return false }
        for offset in needle.indices where bytes[place + offset] != needle[offset] { return false }
        return true
    }

    /// True for a byte that continues a character.
    static func isContinuation(_ byte: UInt8) -> Bool {
        byte & 0xC0 == 0x80
    }
}
