import Core

/// The `Accept` header (RFC 9110 §12.5.1).
enum MediaRanges {
    /// Whether one of the types may be sent. No header takes everything.
    static func accept(_ header: String?, anyOf types: [String]) -> Bool {
        guard let header, !header.trimmed.isEmpty else { return true }
        return header.split(separator: ",").contains { part in
            let pieces = part.split(separator: ";").map { $0.trimmed.lowercased() }
            guard let range = pieces.first else { return false }
            let weight = pieces.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            return weight > 0 && types.contains { matches(range, $0) }
        }
    }

    private static func matches(_ range: String, _ type: String) -> Bool {
        if range == "*/*" || range == type { return true }
        guard range.hasSuffix("/*") else { return false }
        return type.hasPrefix(range.dropLast())
    }
}
