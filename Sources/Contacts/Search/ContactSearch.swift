import Core
import FoundationEssentials
import Postgres

/// Words that somebody looks for among names, addresses and phone numbers. All words must be found.
struct ContactSearch: Sendable, Equatable {
    let words: [String]

    init(_ query: String) {
        words = query.lowercased().split(whereSeparator: \.isWhitespace).prefix(8).map(String.init)
    }

    /// Whether the trigram index can be asked: some word has three letters, digits or signs of addresses in a row
    /// (`marketing_search_word_keys`).
    var hasTrigrams: Bool { words.contains(where: Self.hasTrigram) }

    private static func hasTrigram(_ word: String) -> Bool {
        var run: Int = 0
        for scalar in word.unicodeScalars {
            run = isIndexed(scalar) ? run + 1 : 0
            if run == 3 { return true }
        }
        return false
    }

    private static func isIndexed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case ".", "@", "-", "_", "+": true
        default: scalar.properties.isAlphabetic || scalar.properties.numericType != nil
        }
    }

    /// The condition on a person's own columns, for people who are looked at one by one.
    var matches: SQL {
        matching(
            """
            lower(concat_ws(' ', c.first_name, c.last_name, c.email, c.phone))
            """)
    }

    private func matching(_ text: SQL) -> SQL {
        let conditions: [SQL] = words.map { word in "\(text) LIKE \(Self.pattern(word))" }
        return conditions.isEmpty ? "true" : SQL.join(conditions, separator: " AND ")
    }

    /// The word anywhere in a text, its own percent signs and underscores taken literally.
    static func pattern(_ word: String) -> String { "%\(escaped(word))%" }

    static func escaped(_ word: String) -> String {
        word.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_")
    }

    /// The range of texts in byte order that begin with the word, for indexes with COLLATE "C".
    static func upperBound(_ word: String) -> String? {
        var scalars: [Unicode.Scalar] = Array(word.unicodeScalars)
        while let last = scalars.popLast() {
            var next: UInt32 = last.value + 1
            if next == 0xD800 { next = 0xE000 }
            guard let scalar = Unicode.Scalar(next) else { continue }
            scalars.append(scalar)
            return String(String.UnicodeScalarView(scalars))
        }
        return nil
    }
}
