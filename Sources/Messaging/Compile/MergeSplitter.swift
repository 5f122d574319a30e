import Core

/// A part of a customer's template.
enum MergePart: Equatable, Sendable {
    /// The same for everybody.
    case text([UInt8])
    /// Liquid that stands on its own: an output, or a block from its first tag to its last.
    case liquid(String)
    /// A slot for a link, see `LinkSlots`; the address has Liquid in it or is nil.
    case link(Int, address: String?)
    case unsubscribe
    case preferences
    case pixel
}

/// Cuts a template into constant text and small templates that can be rendered on their own, so that for most e-mails a
/// person's copy is a concatenation. A template whose tags depend on each other (`assign`, `capture`, `cycle` …) or trim
/// the text around them cannot be cut, and is then rendered as a whole.
struct MergeSplitter {
    private static let blocks: Set<String> = ["if", "unless", "case", "for", "tablerow"]
    private static let inner: Set<String> = ["elsif", "else", "when", "break", "continue"]

    private let bytes: [UInt8]
    private var position = 0
    private var parts: [MergePart] = []
    private var text: [UInt8] = []

    private init(_ source: String) {
        bytes = Array(source.utf8)
    }

    /// Nil when the template must stay whole.
    static func split(_ source: String) -> [MergePart]? {
        var splitter = MergeSplitter(source)
        return splitter.run() ? splitter.parts : nil
    }

    private mutating func run() -> Bool {
        while position < bytes.count {
            if starts(with: "{{") {
                guard let end = endOfTag(closing: "}}"), !trims(position..<end) else { return false }
                take(output: position..<end)
            } else if starts(with: "{%") {
                guard let end = endOfBlock() else { return false }
                add(.liquid(String(decoding: bytes[position..<end], as: UTF8.self)))
                position = end
            } else if let slot = slotHere() {
                add(slot.part)
                position = slot.end
            } else {
                text.append(bytes[position])
                position += 1
            }
        }
        flush()
        return true
    }

    private mutating func add(_ part: MergePart) {
        flush()
        parts.append(part)
    }

    private mutating func flush() {
        if !text.isEmpty { parts.append(.text(text)) }
        text = []
    }

    private mutating func take(output range: Range<Int>) {
        let name: String = String(decoding: bytes[(range.lowerBound + 2)..<(range.upperBound - 2)], as: UTF8.self)
        switch name.filter({ !$0.isWhitespace }) {
        case "unsubscribe_url", "unsubscribe_link": add(.unsubscribe)
        case "preferences_url": add(.preferences)
        default: add(.liquid(String(decoding: bytes[range], as: UTF8.self)))
        }
        position = range.upperBound
    }

    // MARK: Tags

    private func starts(with text: StaticString, at place: Int? = nil) -> Bool {
        let start: Int = place ?? position
        guard start + text.utf8CodeUnitCount <= bytes.count else { return false }
        return text.withUTF8Buffer { wanted in
            for index in wanted.indices where bytes[start + index] != wanted[index] { return false }
            return true
        }
    }

    /// The index after the closing braces of the tag that begins here.
    private func endOfTag(closing: StaticString, from start: Int? = nil) -> Int? {
        var index: Int = (start ?? position) + 2
        while index < bytes.count {
            if starts(with: closing, at: index) { return index + 2 }
            // A tag in a tag is left to the real parser.
            if starts(with: "{{", at: index) || starts(with: "{%", at: index) { return nil }
            index += 1
        }
        return nil
    }

    private func trims(_ tag: Range<Int>) -> Bool {
        bytes[tag.lowerBound + 2] == UInt8(ascii: "-") || bytes[tag.upperBound - 3] == UInt8(ascii: "-")
    }

    private func name(of tag: Range<Int>) -> String {
        let inside = bytes[(tag.lowerBound + 2)..<(tag.upperBound - 2)]
        let isSpace: (UInt8) -> Bool = { $0 == 32 || $0 == 9 || $0 == 10 || $0 == 13 }
        let name = inside.drop(while: isSpace).prefix { !isSpace($0) }
        return String(decoding: name, as: UTF8.self)
    }

    /// The index after the block that begins here; nil when it is no block that can stand alone.
    private func endOfBlock() -> Int? {
        var depth = 0
        var index: Int = position
        while index < bytes.count {
            if starts(with: "{{", at: index) {
                guard let end = endOfTag(closing: "}}", from: index), !trims(index..<end) else { return nil }
                index = end
            } else if starts(with: "{%", at: index) {
                guard let end = endOfTag(closing: "%}", from: index), !trims(index..<end) else { return nil }
                let name: String = name(of: index..<end)
                index = end
                if Self.blocks.contains(name) {
                    depth += 1
                } else if name.hasPrefix("end"), Self.blocks.contains(String(name.dropFirst(3))) {
                    depth -= 1
                    if depth == 0 { return index }
                    if depth < 0 { return nil }
                } else if depth == 0 || !Self.inner.contains(name) {
                    return nil
                }
            } else {
                index += 1
            }
        }
        return nil
    }

    // MARK: Slots

    private func slotHere() -> (part: MergePart, end: Int)? {
        guard SlotMarks.isMark(bytes, position, SlotMarks.open) else { return nil }
        var end: Int = position + 3
        while end < bytes.count, !SlotMarks.isMark(bytes, end, SlotMarks.close) { end += 1 }
        guard end < bytes.count else { return nil }
        guard let part = SlotMarks.part(bytes[(position + 3)..<end]) else { return nil }
        return (part, end + 3)
    }
}

/// The marks that `LinkSlots` leaves in HTML: U+E000, U+E001 and U+E002 in UTF-8.
enum SlotMarks {
    static let open: UInt8 = 0x80
    static let close: UInt8 = 0x81
    static let address: UInt8 = 0x82

    static func isMark(_ bytes: [UInt8], _ index: Int, _ last: UInt8) -> Bool {
        index + 2 < bytes.count && bytes[index] == 0xEE && bytes[index + 1] == 0x80 && bytes[index + 2] == last
    }

    /// What stands between the marks.
    static func part(_ inside: ArraySlice<UInt8>) -> MergePart? {
        guard let first = inside.first else { return nil }
        if inside.count == 1 {
            switch first {
            case UInt8(ascii: "u"): return .unsubscribe
            case UInt8(ascii: "m"): return .preferences
            case UInt8(ascii: "p"): return .pixel
            default: break
            }
        }
        var number = 0
        var index: Int = inside.startIndex
        while index < inside.endIndex, (48...57).contains(inside[index]), number < 100_000 {
            number = number * 10 + Int(inside[index] - 48)
            index += 1
        }
        guard index > inside.startIndex else { return nil }
        if index == inside.endIndex { return .link(number, address: nil) }
        guard isMark(Array(inside[index...].prefix(3)), 0, address) else { return nil }
        return .link(number, address: String(decoding: inside[(index + 3)...], as: UTF8.self))
    }
}
