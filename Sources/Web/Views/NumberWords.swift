/// Numbers as people read them.
package enum NumberWords {
    /// With thousands separators: `12,408`.
    package static func grouped(_ value: Int) -> String {
        let digits: [Character] = Array(String(value.magnitude))
        var text: String = value < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// The same for a decimal and what stands behind it: `12408.50 EUR` becomes `12,408.50 EUR`. What is no such number stays.
    package static func grouped(decimal text: String) -> String {
        let sign: String = text.hasPrefix("-") ? "-" : ""
        let whole: Substring = text.dropFirst(sign.count).prefix { $0.isASCII && $0.isNumber }
        let rest: Substring = text.dropFirst(sign.count + whole.count)
        guard let number = Int(whole), !rest.contains("e") else { return text }
        return sign + grouped(number) + rest
    }

    /// A share with one decimal, rounded half up: 0.0412 → `4.1 %`. What is not nothing is never shown as 0.0 %.
    package static func percent(_ share: Double) -> String {
        let tenths = Int((share * 1000).rounded())
        if tenths == 0, share > 0 { return "<0.1\u{202F}%" }
        return "\(grouped(tenths / 10)).\(tenths % 10)\u{202F}%"
    }

    /// `1 message`, `12,408 messages`.
    package static func counted(_ count: Int, _ one: String, _ many: String) -> String {
        "\(grouped(count)) \(count == 1 ? one : many)"
    }
}
