import FoundationEssentials

/// The icons of the sprite, by the ids of its symbols.
enum IconSprite {
    /// Empty when the file cannot be read.
    static func names(in path: String) -> [String] {
        guard let data = FileManager.default.contents(atPath: path) else { return [] }
        let parts = String(decoding: data, as: UTF8.self).split(separator: "<symbol id=\"").dropFirst()
        return parts.map { String($0.prefix { $0 != "\"" }) }
    }
}
