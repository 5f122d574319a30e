import Core
import FoundationEssentials
import Testing

@testable import Mail

@Suite("Header and body encodings")
struct EncodingTests {
    private func quotedPrintable(_ text: String) -> String {
        String(decoding: QuotedPrintable.encode(Array(text.utf8)), as: UTF8.self)
    }

    @Test("quoted-printable gives the vectors")
    func vectors() {
        #expect(quotedPrintable("Grüße = 50% \nEnd") == "Gr=C3=BC=C3=9Fe =3D 50%=20\r\nEnd")
        let long = String(repeating: "a", count: 80)
        #expect(quotedPrintable(long) == String(repeating: "a", count: 75) + "=\r\naaaaa")
    }

    @Test("line breaks of every kind become CRLF, and no bare CR or LF is left")
    func lineBreaks() {
        #expect(quotedPrintable("a\nb\r\nc\rd") == "a\r\nb\r\nc\r\nd")
        #expect(quotedPrintable("\n\n") == "\r\n\r\n")
    }

    @Test("a leading dot, a leading From and white space at the end are encoded")
    func lineStarts() {
        #expect(quotedPrintable(".\n..a") == "=2E\r\n=2E.a")
        #expect(quotedPrintable("From here\nFrom\nX From y") == "=46rom here\r\nFrom\r\nX From y")
        #expect(quotedPrintable("a\t\nb ") == "a=09\r\nb=20")
        let wrapped: String = quotedPrintable(String(repeating: "a", count: 75) + ".b")
        #expect(wrapped == String(repeating: "a", count: 75) + "=\r\n=2Eb")
    }

    @Test("no encoded line passes 76 characters, whatever the text", arguments: 0..<40)
    func lineLength(seed: Int) {
        let alphabet: [Character] = Array("aF. =\tü🎉\nzom")
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
        var text = ""
        for _ in 0..<600 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            text.append(alphabet[Int(state >> 33) % alphabet.count])
        }
        let encoded: [UInt8] = QuotedPrintable.encode(Array(text.utf8))
        let lines = encoded.split(separator: 13, omittingEmptySubsequences: false)
        #expect(lines.allSatisfy { $0.filter { $0 != 10 }.count <= 76 })
        #expect(QuotedPrintableReader.decode(encoded) == Array(text.replacing("\n", with: "\r\n").utf8))
    }

    @Test("encoded-words give the vectors in both forms")
    func encodedWords() {
        #expect(EncodedWord.encode("Grüße aus Köln", form: .quoted) == "=?UTF-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=")
        #expect(EncodedWord.encode("Grüße aus Köln", form: .base64) == "=?UTF-8?B?R3LDvMOfZSBhdXMgS8O2bG4=?=")
        #expect(EncodedWord.encode("Sale 50% 🎉 today") == "=?UTF-8?Q?Sale_50=25_=F0=9F=8E=89_today?=")
        #expect(EncodedWord.encode("Zoë O’Neil") == "=?UTF-8?B?Wm/DqyBP4oCZTmVpbA==?=")
        #expect(EncodedWord.encode("日本語のお知らせ") == "=?UTF-8?B?5pel5pys6Kqe44Gu44GK55+l44KJ44Gb?=")
    }

    @Test("a long subject becomes three words of 72, 72 and 40 characters, split between characters")
    func longSubject() {
        let subject = "Ünïcödé subject line that is quite long and must be folded — ça va être très très long 🎉🎉🎉"
        let words = EncodedWord.encode(subject, form: .base64).components(separatedBy: "\r\n ")
        #expect(words.map(\.count) == [72, 72, 40])
        let decoded: [UInt8] = words.flatMap { Base64.decode($0.dropFirst(10).dropLast(2)) ?? [] }
        #expect(String(decoding: decoded, as: UTF8.self) == subject)
        for word in words {
            #expect(
                Base64.decode(word.dropFirst(10).dropLast(2)).flatMap { String(validating: $0, as: UTF8.self) } != nil)
        }
    }

    @Test("an attachment's name beyond ASCII has an RFC 2231 form and a plain fallback")
    func fileNames() {
        #expect(
            MailAttachment.fileNameParameters("résumé – 2026.pdf")
                == "filename=\"r_sum_ _ 2026.pdf\";\r\n filename*=UTF-8''r%C3%A9sum%C3%A9%20%E2%80%93%202026.pdf")
        #expect(MailAttachment.fileNameParameters("a b.pdf") == "filename=\"a b.pdf\"")
    }

    @Test("dates have a numeric zone and are right around leap days and before 1970")
    func dates() {
        func text(_ seconds: Double) -> String {
            String(decoding: MailDate(Date(timeIntervalSince1970: seconds)).bytes, as: UTF8.self)
        }
        #expect(text(1_768_469_400) == "Thu, 15 Jan 2026 09:30:00 +0000")
        #expect(text(0) == "Thu, 01 Jan 1970 00:00:00 +0000")
        #expect(text(-1) == "Wed, 31 Dec 1969 23:59:59 +0000")
        #expect(text(1_709_210_096) == "Thu, 29 Feb 2024 12:34:56 +0000")
        #expect(text(951_868_800) == "Wed, 01 Mar 2000 00:00:00 +0000")
    }

    @Test("wire addresses are ASCII with one at sign and nothing that could end a command")
    func wireAddresses() {
        #expect(WireAddress.isSafe("a@b.example"))
        for text in ["", "a", "@b", "a@", "a b@c.d", "a@b.c\r\nRCPT TO:<x@y.z>", "<a@b.c>", "ä@b.c", "a@b.c>"] {
            #expect(!WireAddress.isSafe(text))
        }
        #expect(!WireAddress.isSafe(String(repeating: "a", count: 65) + "@b.c"))
        #expect(!WireAddress.isSafe("a@" + String(repeating: "b", count: 260)))
    }
}

/// The reader's side of quoted-printable, for checking by reading back.
enum QuotedPrintableReader {
    static func decode(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "="), index + 2 < bytes.count {
                let pair = String(decoding: bytes[index + 1...index + 2], as: UTF8.self)
                if let byte = UInt8(pair, radix: 16) { output.append(byte) }
                index += 3
            } else {
                output.append(bytes[index])
                index += 1
            }
        }
        return output
    }
}
