import Core
import Testing

@Suite("Text that people type")
struct VisibleTextTests {
    @Test(
        "Characters that nobody sees are taken out",
        arguments: [
            ("Ana\u{202E}zeR", "AnazeR"), ("\u{2066}Ana\u{2069}", "Ana"), ("A\u{200B}n\u{2060}a\u{FEFF}", "Ana"),
            ("\u{202A}+34 600\u{202C}", "+34 600"), ("Mar\u{AD}ket\u{180E}ing", "Marketing"),
            ("a\u{7F}b\u{9B}c", "abc"), ("x\u{206A}\u{FFF9}\u{1D173}y", "xy"),
            ("Hi\u{E0068}\u{E0069}", "Hi"), ("\u{200B}\u{202E} ", ""), (" \u{FEFF} Ana \u{200B}\n", "Ana"),
            ("\u{1F3F4}\u{202E}\u{E0067}x", "\u{1F3F4}x"), (" Ana", "Ana"), ("Ana ", "Ana"), ("\tAna\r\n", "Ana"),
            ("", ""), (" ", ""),
        ])
    func strips(_ typed: String, _ kept: String) {
        #expect(typed.trimmed == kept)
        #expect(kept.trimmed == kept)
    }

    @Test(
        "What spelling and emoji need stays",
        arguments: [
            "Zoë", "نیم\u{200C}فاصله", "क्\u{200D}ष", "👩\u{200D}🚀", "❤\u{FE0F}", "שלום\u{200F}!", "李小龙", "Ana  Ruiz",
            "\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}", "日本\u{3000}太郎",
        ])
    func keeps(_ text: String) {
        #expect(Array(text.trimmed.unicodeScalars) == Array(text.unicodeScalars))
    }

    @Test("The quick look at bytes misses none of them")
    func quickLook() {
        for value: UInt32 in 0...0x10FFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let isHidden: Bool = InvisibleText.isInvisible(scalar) || (0xE0000...0xE007F).contains(value)
            if isHidden { #expect(InvisibleText.mayStand(in: String(Character(scalar)).utf8)) }
        }
    }

    @Test("Plain text is printable ASCII, in slices as in whole texts")
    func plain() {
        #expect("Ana Ruiz ~!".isPlainASCII && "".isPlainASCII && "xAna".dropFirst().isPlainASCII)
        for other in ["Zoë", "a\nb", "\u{7F}", "\0", "\u{1F}"] { #expect(!other.isPlainASCII) }
    }

    @Test("One line has no line ends and no control characters")
    func oneLine() {
        #expect("Ana Ruiz".isOneLine && "Zoë 👩\u{200D}🚀".isOneLine && "".isOneLine)
        for text in ["a\nb", "a\r", "a\tb", "a\u{2028}b", "a\u{2029}b", "a\u{0}b", "a\u{85}b"] {
            #expect(!text.isOneLine)
        }
    }
}
