/// Quoted-printable (RFC 2045 §6.7) in one pass, driven by a table.
///
/// Line breaks of any kind become CRLF. Besides what must be encoded, a line's leading `.` and `From ` are, because
/// some
/// relays change them. White space at the end of a line or of the given piece is encoded, so pieces can be joined
/// freely.
package enum QuotedPrintable {
    /// Characters on a line before its soft break, which makes the 76th.
    static let lineLimit = 75

    private enum Kind {
        static let literal: UInt8 = 0
        static let encoded: UInt8 = 1
        static let space: UInt8 = 2
        static let lineBreak: UInt8 = 3
    }

    private static let kinds: [UInt8] = {
        var table = [UInt8](repeating: Kind.encoded, count: 256)
        for byte in 33...126 where byte != 61 { table[byte] = Kind.literal }
        table[32] = Kind.space
        table[9] = Kind.space
        table[13] = Kind.lineBreak
        table[10] = Kind.lineBreak
        return table
    }()

    private static let hexadecimal: [UInt8] = Array("0123456789ABCDEF".utf8)

    package static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var column = 0
        bytes.withUnsafeBufferPointer { append($0, column: &column, to: &output) }
        return output
    }

    /// Appends a piece to a buffer.
    /// - Parameter column: how many characters the current line already has; moved on.
    package static func append(_ bytes: UnsafeBufferPointer<UInt8>, column: inout Int, to output: inout [UInt8]) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        // Three characters for one byte, and three more for a soft break after every 24 of those.
        let capacity: Int = bytes.count * 3 + bytes.count / 8 * 3 + 16
        withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 1) { scratch in
            guard let base = scratch.baseAddress else { return }
            let target: UnsafeMutablePointer<UInt8> = base.assumingMemoryBound(to: UInt8.self)
            kinds.withUnsafeBufferPointer { kinds in
                hexadecimal.withUnsafeBufferPointer { digits in
                    guard let kinds = kinds.baseAddress, let digits = digits.baseAddress else { return }
                    var encoder = Encoder(
                        source: source, end: bytes.count, target: target, column: column, kinds: kinds, digits: digits)
                    encoder.run()
                    column = encoder.column
                    output.append(contentsOf: UnsafeBufferPointer(start: target, count: encoder.count))
                }
            }
        }
    }

    /// The encoder's place in its input and output.
    private struct Encoder {
        let source: UnsafePointer<UInt8>
        let end: Int
        let target: UnsafeMutablePointer<UInt8>
        var column: Int
        let kinds: UnsafePointer<UInt8>
        let digits: UnsafePointer<UInt8>
        var index = 0
        var count = 0

        // Everything is inlined so that the places stay in registers: the bytes written could be anything to the
        // compiler.
        init(
            source: UnsafePointer<UInt8>, end: Int, target: UnsafeMutablePointer<UInt8>, column: Int,
            kinds: UnsafePointer<UInt8>, digits: UnsafePointer<UInt8>
        ) {
            self.source = source
            self.end = end
            self.target = target
            self.column = column
            self.kinds = kinds
            self.digits = digits
        }

        @inline(__always)
        mutating func run() {
            while index < end {
                copyClearGroups()
                guard index < end else { return }
                let byte: UInt8 = source[index]
                let kind: UInt8 = kinds[Int(byte)]
                if kind == Kind.lineBreak {
                    index += byte == 13 && index + 1 < end && source[index + 1] == 10 ? 2 : 1
                    hardBreak()
                    continue
                }
                let isEncoded: Bool = kind == Kind.encoded || kind == Kind.space && endsLine(after: index)
                if column + (isEncoded ? 3 : 1) > lineLimit { softBreak() }
                if isEncoded || column == 0 && needsGuard() { putEncoded(byte) } else { putLiteral(byte) }
                index += 1
            }
        }

        /// Copies up to eight bytes at a time until one of them needs a closer look or the line is full.
        @inline(__always)
        private mutating func copyClearGroups() {
            guard column > 0 else { return }
            let ones: UInt64 = 0x0101_0101_0101_0101
            let tops: UInt64 = 0x8080_8080_8080_8080
            while column < lineLimit, index + 8 < end {
                let group = UInt64(littleEndian: UnsafeRawPointer(source + index).loadUnaligned(as: UInt64.self))
                let equals: UInt64 = group ^ (ones &* 0x3D)
                let isControl: UInt64 = (group &- ones &* 0x20) & ~group
                let isHigh: UInt64 = (group &+ ones) | group
                let isEquals: UInt64 = (equals &- ones) & ~equals
                let marks: UInt64 = (isControl | isHigh | isEquals) & tops
                var clear: Int = min(marks.trailingZeroBitCount >> 3, lineLimit - column)
                // A space needs to know what follows it.
                if clear > 0, source[index + clear - 1] == 32, source[index + clear] < 32 { clear -= 1 }
                UnsafeMutableRawPointer(target + count).storeBytes(of: group.littleEndian, as: UInt64.self)
                index += clear
                count += clear
                column += clear
                if clear < 8 { return }
            }
        }

        @inline(__always)
        private func endsLine(after index: Int) -> Bool {
            index + 1 == end || kinds[Int(source[index + 1])] == Kind.lineBreak
        }

        /// Whether the byte at the start of a line is a dot, or begins `From `.
        private func needsGuard() -> Bool {
            if source[index] == UInt8(ascii: ".") { return true }
            guard source[index] == UInt8(ascii: "F"), index + 4 < end else { return false }
            return source[index + 1] == UInt8(ascii: "r") && source[index + 2] == UInt8(ascii: "o")
                && source[index + 3] == UInt8(ascii: "m") && source[index + 4] == 32
        }

        @inline(__always)
        private mutating func putLiteral(_ byte: UInt8) {
            target[count] = byte
            count += 1
            column += 1
        }

        @inline(__always)
        private mutating func putEncoded(_ byte: UInt8) {
            target[count] = UInt8(ascii: "=")
            target[count + 1] = digits[Int(byte >> 4)]
            target[count + 2] = digits[Int(byte & 15)]
            count += 3
            column += 3
        }

        @inline(__always)
        private mutating func softBreak() {
            target[count] = UInt8(ascii: "=")
            count += 1
            hardBreak()
        }

        @inline(__always)
        private mutating func hardBreak() {
            target[count] = 13
            target[count + 1] = 10
            count += 2
            column = 0
        }
    }
}
