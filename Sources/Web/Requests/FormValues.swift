import Core

/// The fields of a form or a query string: names with their values in the order they came.
package struct FormValues: Sendable {
    private var values: [String: [String]] = [:]
    package private(set) var names: [String] = []

    package init() {}

    package init(_ pairs: [(String, String)]) {
        for (name, value) in pairs { append(name, value) }
    }

    /// Parses `application/x-www-form-urlencoded` text (WHATWG URL §5.1). Bytes that are no UTF-8 become U+FFFD, NUL is
    /// dropped: PostgreSQL cannot store it.
    package init(urlEncoded text: some StringProtocol) {
        for pair in text.utf8.split(separator: UInt8(ascii: "&"), maxSplits: 10_000) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.first else { continue }
            let value = parts.count > 1 ? Self.decode(parts[1]) : ""
            append(Self.decode(name), value)
        }
    }

    package mutating func append(_ name: String, _ value: String) {
        if values[name] == nil { names.append(name) }
        values[name, default: []].append(value)
    }

    /// The first value as it is kept (see `trimmed`); empty when the field is absent.
    package func text(_ name: String) -> String {
        optional(name) ?? ""
    }

    /// The first value as it is kept (see `trimmed`); nil when absent or empty.
    package func optional(_ name: String) -> String? {
        guard let value = values[name]?.first else { return nil }
        let trimmed = value.trimmed
        return trimmed.isEmpty ? nil : trimmed
    }

    /// The first value exactly as it was sent: passwords, message bodies.
    package func raw(_ name: String) -> String? {
        values[name]?.first
    }

    package func all(_ name: String) -> [String] {
        values[name] ?? []
    }

    /// A ticked checkbox.
    package func flag(_ name: String) -> Bool {
        switch values[name]?.last {
        case "on", "true", "1", "yes": true
        default: false
        }
    }

    package func integer(_ name: String) -> Int? {
        optional(name).flatMap { Int($0) }
    }

    package func contains(_ name: String) -> Bool {
        values[name] != nil
    }

    /// The text of one name or value.
    package static func decoded(_ text: Substring) -> String {
        decode(text.utf8)
    }

    private static func decode(_ bytes: some Collection<UInt8>) -> String {
        let isPlain = !bytes.contains { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") || $0 == 0 }
        if isPlain { return String(decoding: bytes, as: UTF8.self) }
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var rest = bytes[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+") {
                output.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "%"), let value = escaped(rest) {
                rest = rest.dropFirst(2)
                if value != 0 { output.append(value) }
            } else if byte != 0 {
                output.append(byte)
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The byte that two hexadecimal digits at the front stand for.
    private static func escaped(_ bytes: some Collection<UInt8>) -> UInt8? {
        var value: UInt8 = 0
        var count = 0
        for byte in bytes.prefix(2) {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | (byte - UInt8(ascii: "0"))
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | (byte - UInt8(ascii: "A") + 10)
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | (byte - UInt8(ascii: "a") + 10)
            default: return nil
            }
            count += 1
        }
        return count == 2 ? value : nil
    }
}
