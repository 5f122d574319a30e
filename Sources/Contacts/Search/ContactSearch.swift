import Core
import FoundationEssentials
import Postgres

/// Words that somebody looks for among names, addresses and phone numbers. All words must be found.
struct ContactSearch: Sendable, Equatable {
    let words: [String]

    init(_ query: String) {
        // As in `marketing_search_folded`. In small letters `İ` has its dot as a second character here.
        let folded: String = query.lowercased().replacing("i\u{307}", with: "i").replacing("ı", with: "i")
        words = folded.split(whereSeparator: \.isWhitespace).prefix(8).map(Self.bare)
    }

    /// A word of a line that was copied from elsewhere, such as `Weber, Anna <anna@example.com>;`, without the marks at its
    /// ends; marks alone are looked for as they are.
    private static func bare(_ word: Substring) -> String {
        guard let first = word.firstIndex(where: { !marks.contains($0) }),
            let last = word.lastIndex(where: { !marks.contains($0) })
        else { return String(word) }
        return String(word[first...last])
    }

    private static let marks: Set<Character> = [",", ";", "<", ">", "(", ")", "\"", "“", "”"]

    /// Whether the index can be asked: it holds pieces of four characters, and finds three by what may stand behind them
    /// (`marketing_search_contacts`).
    var canAskIndex: Bool { words.contains { $0.unicodeScalars.count >= 3 } }

    /// What a person is found by.
    static let text: SQL = "marketing_search_text(c.first_name, c.last_name, c.email, c.phone)"

    /// The condition on a person's own columns, for people who are looked at one by one.
    var matches: SQL {
        let conditions: [SQL] = words.map { word in "\(Self.text) LIKE \(Self.pattern(word))" }
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
