import Core

/// Which addresses may stand in an e-mail's links (email.md: click redirect safety).
package enum LinkSafety {
    /// http(s) with a host, without credentials, spaces and control characters.
    package static func isFollowable(_ url: String) -> Bool {
        let lower: String = url.lowercased()
        let rest: Substring
        if lower.hasPrefix("https://") {
            rest = url.dropFirst(8)
        } else if lower.hasPrefix("http://") {
            rest = url.dropFirst(7)
        } else {
            return false
        }
        let authority: Substring = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" && $0 != "\\" }
        guard !authority.isEmpty, !authority.contains("@"), url.utf8.count <= 4096 else { return false }
        return url.unicodeScalars.allSatisfy {
            $0.value > 32 && $0.value != 127 && $0 != "\\" && $0 != "<" && $0 != ">"
        }
    }
}

/// HTML's escapes, for the few places where text goes in and out of attributes.
enum HTMLText {
    static func attribute(_ text: String) -> [UInt8] {
        var output: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): output.append(contentsOf: "&amp;".utf8)
            case UInt8(ascii: "\""): output.append(contentsOf: "&quot;".utf8)
            case UInt8(ascii: "<"): output.append(contentsOf: "&lt;".utf8)
            case UInt8(ascii: ">"): output.append(contentsOf: "&gt;".utf8)
            default: output.append(byte)
            }
        }
        return output
    }

    /// The entities that the sanitizer and Liquid write.
    static func decoded(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.contains("&") else { return text }
        let entities: [(String, String)] = [
            ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#34;", "\""), ("&amp;", "&"),
        ]
        return entities.reduce(text) { $0.replacing($1.0, with: $1.1) }
    }
}
