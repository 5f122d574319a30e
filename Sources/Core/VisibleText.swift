/// Characters that nobody sees, and that make a text look like another one: overrides of the direction of writing
/// (`\u{202E}gpj.exe`), spaces without width, marks of other programs. Names are compared by eye, so these go.
package enum InvisibleText {
    /// Whether a scalar is always taken out. Joiners (U+200C, U+200D), the direction marks that Hebrew and Arabic are typed
    /// with (U+061C, U+200E, U+200F) and variation selectors stay: spelling and emoji need them.
    package static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x7F...0x9F: true  // DEL and C1 controls
        case 0xAD, 0x180E, 0x200B, 0x2060, 0xFEFF: true  // soft hyphen, spaces and joiners without width
        case 0x202A...0x202E, 0x2066...0x2069: true  // bidirectional controls (UAX #9)
        case 0x2061...0x2065, 0x206A...0x206F: true  // invisible operators, deprecated controls
        case 0xFFF9...0xFFFB: true  // annotation
        case 0x1D173...0x1D17A: true  // musical controls
        default: false
        }
    }

    /// Tags (U+E0000 to U+E007F) spell the flags of regions after a black flag; anywhere else they hide text.
    fileprivate static func isTag(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value >= 0xE0000 && scalar.value <= 0xE007F
    }

    fileprivate static let blackFlag: Unicode.Scalar = "\u{1F3F4}"

    /// Whether all bytes stand for letters, digits, signs and spaces of ASCII.
    fileprivate static func isPlainASCII(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        bytes.allSatisfy { 0x20...0x7E ~= $0 }
    }

    /// Whether UTF-8 may hold such a character: its first bytes are looked at only. For importers, which ask this of
    /// every cell.
    package static func mayStand(in bytes: some Sequence<UInt8>) -> Bool {
        bytes.contains { byte in
            switch byte {
            case 0x7F, 0xC2, 0xE1, 0xE2, 0xEF, 0xF0, 0xF3: true
            default: false
            }
        }
    }
}

extension StringProtocol {
    /// Whether all of a text is letters, digits, signs and spaces of ASCII, as most names and values are: what needs no
    /// look at any character's properties.
    package var isPlainASCII: Bool {
        utf8.withContiguousStorageIfAvailable(InvisibleText.isPlainASCII) ?? false
    }

    /// Without the characters of ``InvisibleText``.
    package var visible: String {
        guard InvisibleText.mayStand(in: utf8) else { return String(self) }
        var kept = String.UnicodeScalarView()
        var spellsFlag = false
        for scalar in unicodeScalars {
            if InvisibleText.isTag(scalar) {
                if spellsFlag { kept.append(scalar) }
                continue
            }
            spellsFlag = scalar == InvisibleText.blackFlag
            if !InvisibleText.isInvisible(scalar) { kept.append(scalar) }
        }
        return String(kept)
    }

    /// A text as it is kept: without white space and line ends at both ends, and without what nobody can see. The one
    /// place through which names, titles and other typed texts go.
    package var trimmed: String {
        let isTrimmed: Bool? = utf8.withContiguousStorageIfAvailable { bytes in
            bytes.first != 0x20 && bytes.last != 0x20 && InvisibleText.isPlainASCII(bytes)
        }
        if isTrimmed == true { return String(self) }
        let text: String = visible
        var view = text[...]
        while let first = view.first, first.isWhitespace { view = view.dropFirst() }
        while let last = view.last, last.isWhitespace { view = view.dropLast() }
        return String(view)
    }

    /// Nil for a text without characters.
    package var nonEmpty: String? { isEmpty ? nil : String(self) }

    /// Whether a text is free of line ends and other control characters, as names and titles have to be.
    package var isOneLine: Bool {
        isPlainASCII
            || unicodeScalars.allSatisfy { scalar in
                switch scalar.properties.generalCategory {
                case .control, .lineSeparator, .paragraphSeparator: false
                default: true
                }
            }
    }
}
