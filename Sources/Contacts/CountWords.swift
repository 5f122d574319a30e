/// Numbers in words for people.
enum CountWords {
    /// With thousands separators: `12,408`.
    static func number(_ value: Int) -> String {
        var digits: [Character] = []
        for (index, digit) in String(value.magnitude).reversed().enumerated() {
            if index > 0, index % 3 == 0 { digits.append(",") }
            digits.append(digit)
        }
        return (value < 0 ? "-" : "") + String(digits.reversed())
    }

    static func people(_ count: Int) -> String {
        count == 1 ? "1 contact" : "\(number(count)) contacts"
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
