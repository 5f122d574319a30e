/// The encodings that people's files come in.
package enum TextEncoding: String, Sendable, CaseIterable {
    case utf8 = "UTF-8"
    case utf16LittleEndian = "UTF-16 LE"
    case utf16BigEndian = "UTF-16 BE"
    /// Windows-1252, which is Latin-1 with printable characters where Latin-1 has controls.
    case windows1252 = "Windows-1252"
}

/// Looks at a file while it arrives: is it text, in which encoding, about how many rows?
struct TextInspector {
    private(set) var isValidUTF8: Bool = true
    private(set) var hasNUL: Bool = false
    private(set) var byteCount: Int = 0
    private var lineCount: Int = 0
    private(set) var head: [UInt8] = []
    private var insideQuotes: Bool = false
    private var lastByte: UInt8 = 10
    private var zeroesAtEven: Int = 0
    private var zeroesAtOdd: Int = 0
    // The UTF-8 decoder's state: how many continuation bytes are missing, and the bounds of the next one.
    private var missing: Int = 0
    private var lower: UInt8 = 0x80
    private var upper: UInt8 = 0xBF

    /// How many lines have something on them, those inside quotes not counted.
    var rowCount: Int { lineCount + (lastByte == 10 ? 0 : 1) }

    mutating func take(_ chunk: [UInt8]) {
        if head.count < 4096 { head.append(contentsOf: chunk.prefix(4096 - head.count)) }
        chunk.withUnsafeBufferPointer { bytes in
            for index in 0..<bytes.count {
                let byte: UInt8 = bytes[index]
                if byte < 0x80 {
                    if missing > 0 { fail() }
                    if byte == UInt8(ascii: "\"") {
                        insideQuotes.toggle()
                    } else if byte == 10 {
                        if !insideQuotes, lastByte != 10 { lineCount += 1 }
                    } else if byte == 0 {
                        countZero(at: byteCount + index)
                    }
                } else {
                    continueUTF8(byte)
                }
                lastByte = byte
            }
        }
        byteCount += chunk.count
    }

    private mutating func countZero(at offset: Int) {
        hasNUL = true
        if offset & 1 == 0 { zeroesAtEven += 1 } else { zeroesAtOdd += 1 }
    }

    private mutating func fail() {
        isValidUTF8 = false
        missing = 0
        lower = 0x80
        upper = 0xBF
    }

    /// The well-formed sequences of Unicode's table 3-7.
    private mutating func continueUTF8(_ byte: UInt8) {
        if missing > 0 {
            guard byte >= lower, byte <= upper else { return fail() }
            missing -= 1
            lower = 0x80
            upper = 0xBF
            return
        }
        switch byte {
        case 0xC2...0xDF: missing = 1
        case 0xE0: (missing, lower) = (2, 0xA0)
        case 0xED: (missing, upper) = (2, 0x9F)
        case 0xE1...0xEF: missing = 2
        case 0xF0: (missing, lower) = (3, 0x90)
        case 0xF1...0xF3: missing = 3
        case 0xF4: (missing, upper) = (3, 0x8F)
        default: fail()
        }
    }

    /// What a file is that is no text, in words for the person who sent it; nil for text.
    var refusal: String? {
        if byteCount == 0 { return "The file is empty." }
        // Before UTF-16, whose mark is the beginning of one of these.
        if head.starts(with: [0xFF, 0xFE, 0, 0]) || head.starts(with: [0, 0, 0xFE, 0xFF]) {
            return "This file is in UTF-32, which cannot be read here. Save it as UTF-8 and try again."
        }
        let signatures: [([UInt8], String)] = [
            (
                [0x50, 0x4B, 0x03, 0x04],
                "This is a zip archive or an Excel workbook. Save the sheet as CSV and upload that."
            ),
            ([0x50, 0x4B, 0x05, 0x06], "This is an empty zip archive. Upload the CSV file itself."),
            ([0x1F, 0x8B], "This file is compressed with gzip. Unpack it and upload the CSV file itself."),
            ([0x28, 0xB5, 0x2F, 0xFD], "This file is compressed. Unpack it and upload the CSV file itself."),
            ([0x42, 0x5A, 0x68], "This file is compressed with bzip2. Unpack it and upload the CSV file itself."),
            ([0xFD, 0x37, 0x7A], "This file is compressed with xz. Unpack it and upload the CSV file itself."),
            ([0xD0, 0xCF, 0x11, 0xE0], "This is an old Excel workbook. Save the sheet as CSV and upload that."),
            ([0x25, 0x50, 0x44, 0x46, 0x2D], "This is a PDF. Upload a CSV file."),
            ([0x89, 0x50, 0x4E, 0x47], "This is an image. Upload a CSV file."),
            ([0xFF, 0xD8, 0xFF], "This is an image. Upload a CSV file."),
        ]
        for (signature, words) in signatures where head.starts(with: signature) { return words }
        if encoding == .utf8 || encoding == .windows1252, hasNUL {
            return "The file contains NUL characters, so it is not a text file. Save it as CSV and try again."
        }
        return nil
    }

    /// By byte order mark, else by where the zeroes are (plain letters in UTF-16 have one each), else by validity.
    var encoding: TextEncoding {
        if head.starts(with: [0xFF, 0xFE]) { return .utf16LittleEndian }
        if head.starts(with: [0xFE, 0xFF]) { return .utf16BigEndian }
        if hasNUL {
            let half: Int = byteCount / 2
            if zeroesAtOdd * 10 > half * 3, zeroesAtEven * 100 <= half { return .utf16LittleEndian }
            if zeroesAtEven * 10 > half * 3, zeroesAtOdd * 100 <= half { return .utf16BigEndian }
        }
        return isValidUTF8 && missing == 0 ? .utf8 : .windows1252
    }
}

/// Turns a stream of another encoding into UTF-8, block by block.
struct Transcoder {
    let encoding: TextEncoding
    private var carry: [UInt8] = []
    private var highSurrogate: UInt16?
    private var isFirst: Bool = true

    init(from encoding: TextEncoding) {
        self.encoding = encoding
    }

    mutating func convert(_ bytes: [UInt8]) -> [UInt8] {
        switch encoding {
        case .utf8: return bytes
        case .windows1252:
            var output: [UInt8] = []
            output.reserveCapacity(bytes.count + bytes.count / 8)
            for byte in bytes {
                if byte < 0x80 {
                    output.append(byte)
                } else {
                    Self.append(Self.windows1252[Int(byte) - 0x80], to: &output)
                }
            }
            return output
        case .utf16LittleEndian, .utf16BigEndian: return convertUTF16(bytes)
        }
    }

    /// What is left at the end: half a character becomes U+FFFD.
    mutating func finish() -> [UInt8] {
        guard !carry.isEmpty || highSurrogate != nil else { return [] }
        carry = []
        highSurrogate = nil
        return [0xEF, 0xBF, 0xBD]
    }

    private mutating func convertUTF16(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        let input: [UInt8] = carry.isEmpty ? bytes : carry + bytes
        var index: Int = 0
        while index + 1 < input.count {
            let first: UInt16 = UInt16(input[index])
            let second: UInt16 = UInt16(input[index + 1])
            let unit: UInt16 = encoding == .utf16LittleEndian ? second << 8 | first : first << 8 | second
            index += 2
            if isFirst {
                isFirst = false
                if unit == 0xFEFF { continue }
            }
            append(unit, to: &output)
        }
        carry = Array(input[index...])
        return output
    }

    private mutating func append(_ unit: UInt16, to output: inout [UInt8]) {
        if let high = highSurrogate {
            highSurrogate = nil
            if unit >= 0xDC00, unit <= 0xDFFF {
                Self.append(0x10000 + (UInt32(high) - 0xD800) << 10 + (UInt32(unit) - 0xDC00), to: &output)
                return
            }
            Self.append(0xFFFD, to: &output)
        }
        if unit >= 0xD800, unit <= 0xDBFF {
            highSurrogate = unit
        } else {
            Self.append(unit >= 0xDC00 && unit <= 0xDFFF ? 0xFFFD : UInt32(unit), to: &output)
        }
    }

    private static func append(_ value: UInt32, to output: inout [UInt8]) {
        // NUL cannot be stored; it becomes the replacement character like any other broken one.
        let scalar: Unicode.Scalar = value == 0 ? "\u{FFFD}" : Unicode.Scalar(value) ?? "\u{FFFD}"
        output.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    /// The upper half of Windows-1252 (WHATWG Encoding index); the five unassigned bytes stay C1 controls.
    private static let windows1252: [UInt32] = {
        let special: [UInt32] = [
            0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,
            0x017D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
            0x0153, 0x9D, 0x017E, 0x0178,
        ]
        return special + (0xA0...0xFF).map { UInt32($0) }
    }()
}
