import Web

/// Counts of people and durations in words.
enum CountWords {
    static func people(_ count: Int) -> String {
        NumberWords.counted(count, "contact", "contacts")
    }

    static func people(_ count: MatchCount) -> String {
        switch count {
        case .exactly(let count): people(count)
        case .moreThan(let count): "more than \(people(count))"
        case .about(let count): "about \(people(rounded(count)))"
        }
    }

    private static func rounded(_ count: Int) -> Int { (count + 500) / 1000 * 1000 }

    /// A duration: `40 s`, `3 min`, `2 h 5 min`.
    static func duration(_ seconds: Int) -> String {
        if seconds < 60 { return "\(max(1, seconds)) s" }
        if seconds < 3600 { return "\((seconds + 30) / 60) min" }
        return "\(seconds / 3600) h \(seconds % 3600 / 60) min"
    }
}
