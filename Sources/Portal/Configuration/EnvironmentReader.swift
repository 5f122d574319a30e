import Core

/// Reads typed values from an environment and collects what is wrong with them.
struct EnvironmentReader {
    private let values: [String: String]
    private(set) var flaws: [String] = []

    init(_ values: [String: String]) {
        self.values = values
    }

    mutating func flaw(_ message: String) {
        flaws.append(message)
    }

    /// Nil when absent or empty.
    func text(_ name: String) -> String? {
        guard let value = values[name], !value.isEmpty else { return nil }
        return value
    }

    mutating func number(_ name: String, _ range: ClosedRange<Int>) -> Int? {
        guard let text = text(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            flaw("\(name) must be a number from \(range.lowerBound) to \(range.upperBound), not “\(text)”.")
            return nil
        }
        return number
    }

    mutating func url(_ name: String) -> String? {
        guard let text = text(name) else { return nil }
        guard text.hasPrefix("https://") || text.hasPrefix("http://"), !text.contains(where: \.isWhitespace) else {
            flaw("\(name) must be a full address like https://mail.example.com, not “\(text)”.")
            return nil
        }
        return text
    }

    func list(_ name: String) -> Set<String> {
        let parts = (text(name) ?? "").split(separator: ",").map { $0.filter { !$0.isWhitespace } }
        return Set(parts.filter { !$0.isEmpty })
    }

    mutating func secret(_ name: String, minimumLength: Int) -> Secret<String>? {
        guard let text = text(name) else { return nil }
        guard text.utf8.count >= minimumLength else {
            flaw("\(name) is too short: use at least \(minimumLength) random characters.")
            return nil
        }
        return Secret(text)
    }

    /// Several secrets, separated by commas.
    mutating func secrets(_ name: String, minimumLength: Int) -> [Secret<String>] {
        let parts = (text(name) ?? "").split(separator: ",").map { $0.filter { !$0.isWhitespace } }
        guard parts.allSatisfy({ $0.utf8.count >= minimumLength }) else {
            flaw("\(name) must be secrets of at least \(minimumLength) characters each, separated by commas.")
            return []
        }
        return parts.map { Secret($0) }
    }

    /// Keys of 32 bytes in hexadecimal, the one in force first, older ones after commas.
    mutating func keys(_ name: String) -> [Secret<[UInt8]>] {
        var keys: [Secret<[UInt8]>] = []
        for part in (text(name) ?? "").split(separator: ",") {
            guard let bytes = Hexadecimal.decode(part.filter { !$0.isWhitespace }), bytes.count == 32 else {
                flaw("\(name) must be 64 hexadecimal digits; older keys may follow after commas.")
                return []
            }
            keys.append(Secret(bytes))
        }
        return keys
    }

    mutating func choice<Value>(_ name: String, _ parse: (String) -> Value?) -> Value? {
        guard let text = text(name) else { return nil }
        guard let value = parse(text) else {
            flaw("\(name) has no value “\(text)”.")
            return nil
        }
        return value
    }
}
