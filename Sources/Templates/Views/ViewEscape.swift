/// How a value is written at one place of a view, chosen when the view is compiled.
enum ViewEscape: Sendable, Equatable {
    /// Text, and the value of a quoted attribute.
    case html
    /// The start of a URL attribute: the scheme is checked, then the value is escaped as HTML.
    case url
    /// Inside a URL: everything but unreserved characters is percent-encoded.
    case urlPart
    /// The content of `<script type="application/json">`.
    case json
    /// As it is: a text file, or HTML known to be safe.
    case raw
}

/// Escaping by bytes: a table of 256 entries says which bytes need work, clean runs are copied whole.
enum ViewEscaping {
    private static let htmlReplacements: [[UInt8]] = {
        var table: [[UInt8]] = Array(repeating: [], count: 256)
        table[0x26] = Array("&amp;".utf8)
        table[0x3C] = Array("&lt;".utf8)
        table[0x3E] = Array("&gt;".utf8)
        table[0x22] = Array("&quot;".utf8)
        table[0x27] = Array("&#39;".utf8)
        table[0x00] = Array("\u{FFFD}".utf8)
        return table
    }()

    private static let htmlSpecial: [Bool] = htmlReplacements.map { !$0.isEmpty }

    /// All but the unreserved characters of RFC 3986 §2.3.
    private static let reserved: [Bool] = (0..<256).map { byte in
        !(ASCII.isLetter(UInt8(byte)) || ASCII.isDigit(UInt8(byte)) || "-._~".utf8.contains(UInt8(byte)))
    }

    private static let hexadecimal: [UInt8] = Array("0123456789ABCDEF".utf8)

    static func append(_ text: String, _ escape: ViewEscape, to output: inout [UInt8]) {
        switch escape {
        case .html: appendHTML(text, to: &output)
        case .raw, .json: output.append(contentsOf: text.utf8)
        case .url: appendHTML(hasSafeScheme(text) ? text : "#unsafe-link", to: &output)
        case .urlPart: appendPercentEncoded(text, to: &output)
        }
    }

    static func appendHTML(_ text: String, to output: inout [UInt8]) {
        withBytes(of: text) { bytes in
            appendReplacing(bytes, where: htmlSpecial, to: &output) { byte, output in
                output.append(contentsOf: htmlReplacements[Int(byte)])
            }
        }
    }

    static func appendPercentEncoded(_ text: String, to output: inout [UInt8]) {
        withBytes(of: text) { bytes in
            appendReplacing(bytes, where: reserved, to: &output) { byte, output in
                output.append(0x25)
                output.append(hexadecimal[Int(byte >> 4)])
                output.append(hexadecimal[Int(byte & 15)])
            }
        }
    }

    @inline(__always)
    private static func withBytes(of text: String, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        var text: String = text
        text.withUTF8(body)
    }

    /// Copies bytes; those the table marks are replaced one by one, runs of others are copied whole.
    @inline(__always)
    private static func appendReplacing(
        _ bytes: UnsafeBufferPointer<UInt8>, where marked: [Bool], to output: inout [UInt8],
        _ replace: (UInt8, inout [UInt8]) -> Void
    ) {
        marked.withUnsafeBufferPointer { marked in
            var start = 0
            for index in 0..<bytes.count where marked[Int(bytes[index])] {
                if index > start { output.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<index])) }
                replace(bytes[index], &output)
                start = index + 1
            }
            if start < bytes.count {
                output.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<bytes.count]))
            }
        }
    }

    static let allowedSchemes: Set<String> = ["http", "https", "mailto", "tel"]

    /// Whether a URL is relative or has an allowed scheme, read as a browser reads it: leading controls and
    /// spaces are skipped, tabs and line ends inside are dropped (WHATWG URL §4.4).
    static func hasSafeScheme(_ url: String) -> Bool {
        var scheme: [UInt8] = []
        for byte in url.utf8 {
            switch byte {
            case 0x09, 0x0A, 0x0D: continue
            case 0x00...0x20 where scheme.isEmpty: continue
            case 0x3A: return allowedSchemes.contains(String(decoding: scheme, as: UTF8.self).lowercased())
            case 0x2F, 0x3F, 0x23, 0x5C: return true
            default: scheme.append(byte)
            }
        }
        return true
    }

    /// A JSON string that is also safe inside a script element: `<`, `>`, `&`, U+2028 and U+2029 are escaped.
    static func appendJSON(_ text: String, to output: inout [UInt8]) {
        output.append(0x22)
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22, 0x5C: output.append(contentsOf: [0x5C, UInt8(scalar.value)])
            case 0x00...0x1F, 0x26, 0x3C, 0x3E, 0x7F, 0x2028, 0x2029:
                output.append(contentsOf: [0x5C, 0x75])
                for shift: UInt32 in [12, 8, 4, 0] {
                    output.append(hexadecimal[Int(scalar.value >> shift & 15)])
                }
            default: output.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
        output.append(0x22)
    }
}
