import Testing

@testable import Contacts

@Suite("Encodings of files")
struct TextEncodingTests {
    private static let text = "email,name\nzoe@example.com,Zoë Müller €\n"

    private static func utf16(_ text: String, little: Bool, mark: Bool) -> [UInt8] {
        var units: [UInt16] = mark ? [0xFEFF] : []
        units += text.utf16
        return units.flatMap { little ? [UInt8($0 & 255), UInt8($0 >> 8)] : [UInt8($0 >> 8), UInt8($0 & 255)] }
    }

    private static let latin: [UInt8] =
        Array("email,name\nzoe@example.com,Zo".utf8) + [0xEB] + Array(" M".utf8) + [0xFC] + Array("ller ".utf8) + [
            0x80, 10,
        ]

    @Test(
        "Files of every encoding arrive as the same text", arguments: [1, 3, 1000],
        [
            (Array(text.utf8), TextEncoding.utf8), (latin, .windows1252),
            (utf16(text, little: true, mark: true), .utf16LittleEndian),
            (utf16(text, little: false, mark: true), .utf16BigEndian),
            (utf16(text, little: true, mark: false), .utf16LittleEndian),
            (utf16(text, little: false, mark: false), .utf16BigEndian),
        ])
    func encodings(block: Int, file: ([UInt8], TextEncoding)) {
        var inspector = TextInspector()
        var transcoder = Transcoder(from: file.1)
        var output: [UInt8] = []
        for start in stride(from: 0, to: file.0.count, by: block) {
            let chunk = Array(file.0[start..<min(file.0.count, start + block)])
            inspector.take(chunk)
            output += transcoder.convert(chunk)
        }
        output += transcoder.finish()
        #expect(inspector.encoding == file.1)
        #expect(inspector.refusal == nil)
        #expect(String(decoding: output, as: UTF8.self) == Self.text)
    }

    @Test("Surrogate pairs survive, halves become replacement characters")
    func surrogates() {
        var transcoder = Transcoder(from: .utf16LittleEndian)
        let whole = transcoder.convert(Self.utf16("a😀", little: true, mark: false))
        #expect(String(decoding: whole + transcoder.finish(), as: UTF8.self) == "a😀")
        var broken = Transcoder(from: .utf16LittleEndian)
        let half = broken.convert([0x3D, 0xD8, 0x61, 0x00])
        #expect(String(decoding: half, as: UTF8.self) == "\u{FFFD}a")
    }

    @Test(
        "What is no text is refused in words",
        arguments: [
            ([0x50, 0x4B, 0x03, 0x04, 0x14, 0, 0, 0], "zip"), ([0x1F, 0x8B, 8, 0, 0, 0, 0, 0], "gzip"),
            ([0x25, 0x50, 0x44, 0x46, 0x2D, 0x31], "PDF"), ([], "empty"),
            ([0x61, 0x00, 0x00, 0x00, 0x62, 0x0A], "NUL"),
            ([0xD0, 0xCF, 0x11, 0xE0, 0xA1], "Excel"),
            ([0xFF, 0xFE, 0, 0, 0x61, 0, 0, 0, 0x0A, 0, 0, 0], "UTF-32"),
            ([0, 0, 0xFE, 0xFF, 0, 0, 0, 0x61, 0, 0, 0, 0x0A], "UTF-32"),
        ] as [([UInt8], String)])
    func refusals(bytes: [UInt8], word: String) {
        var inspector = TextInspector()
        inspector.take(bytes)
        #expect(inspector.refusal?.contains(word) == true)
    }

    @Test("Rows are counted on the way in")
    func rowCount() {
        var inspector = TextInspector()
        inspector.take(Array("a,b\nc,\"d\ne\"\n\nf,g".utf8))
        #expect(inspector.rowCount == 3)
    }
}
