import FoundationEssentials

/// Reads a `.env` file: `NAME=value` lines, `#` comments, values optionally in quotes. The process's own environment wins.
package enum DotEnv {
    package static func parse(_ text: String) -> [String: String] {
        var values: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let trimmed = line.trimmingSpaces
            guard !trimmed.isEmpty, !trimmed.hasPrefix("#"), let equals = trimmed.firstIndex(of: "=") else { continue }
            var name = trimmed[..<equals].trimmingSpaces
            if name.hasPrefix("export ") { name = name.dropFirst(7).trimmingSpaces }
            values[String(name)] = unquoted(trimmed[trimmed.index(after: equals)...].trimmingSpaces)
        }
        return values
    }

    private static func unquoted(_ value: Substring) -> String {
        for quote in ["\"", "'"] where value.count >= 2 && value.hasPrefix(quote) && value.hasSuffix(quote) {
            return String(value.dropFirst().dropLast())
        }
        return String(value)
    }
}

extension Substring {
    fileprivate var trimmingSpaces: Substring {
        var view = self
        while let first = view.first, first.isWhitespace { view = view.dropFirst() }
        while let last = view.last, last.isWhitespace { view = view.dropLast() }
        return view
    }
}
