/// Base 64 with the standard alphabet and padding (RFC 4648 §4): SMTP, basic authentication, webhook secrets.
package enum Base64 {
    private static let alphabet: [UInt8] = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        var text: [UInt8] = Array(Base64URL.encode(bytes).utf8)
        for index in text.indices {
            if text[index] == UInt8(ascii: "-") { text[index] = UInt8(ascii: "+") }
            if text[index] == UInt8(ascii: "_") { text[index] = UInt8(ascii: "/") }
        }
        while text.count % 4 != 0 { text.append(UInt8(ascii: "=")) }
        return String(decoding: text, as: UTF8.self)
    }

    /// ``encode(_:)`` without the padding, as password hashes are written (PHC string format).
    package static func encodeUnpadded(_ bytes: some Collection<UInt8>) -> String {
        String(encode(bytes).prefix { $0 != "=" })
    }

    /// Strict: right padding, no foreign characters, no leftover bits.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        guard text.utf8.count % 4 == 0 else { return nil }
        let padding: Int = text.utf8.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard padding <= 2 else { return nil }
        return decodeUnpadded(String(text).dropLast(padding))
    }

    package static func decodeUnpadded(_ text: some StringProtocol) -> [UInt8]? {
        var translated: [UInt8] = []
        translated.reserveCapacity(text.utf8.count)
        for character in text.utf8 {
            switch character {
            case UInt8(ascii: "+"): translated.append(UInt8(ascii: "-"))
            case UInt8(ascii: "/"): translated.append(UInt8(ascii: "_"))
            case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "="): return nil
            default: translated.append(character)
            }
        }
        return Base64URL.decode(String(decoding: translated, as: UTF8.self))
    }
}

extension Base64URL {
    private static let characters: [UInt8] = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// Appends the characters for some bytes to a buffer: for tokens written into a message that is being built.
    package static func append(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        characters.withUnsafeBufferPointer { characters in
            var index = 0
            while index + 2 < bytes.count {
                let group = UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2])
                output.append(characters[Int(group >> 18)])
                output.append(characters[Int(group >> 12 & 63)])
                output.append(characters[Int(group >> 6 & 63)])
                output.append(characters[Int(group & 63)])
                index += 3
            }
            let rest: Int = bytes.count - index
            guard rest > 0 else { return }
            let group = UInt32(bytes[index]) << 16 | (rest == 2 ? UInt32(bytes[index + 1]) << 8 : 0)
            output.append(characters[Int(group >> 18)])
            output.append(characters[Int(group >> 12 & 63)])
            if rest == 2 { output.append(characters[Int(group >> 6 & 63)]) }
        }
    }
}

/// Base 32, lower case, without padding (RFC 4648 §6): survives systems that fold case.
package enum Base32 {
    private static let alphabet: [UInt8] = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        var text: [UInt8] = []
        var buffer: UInt32 = 0
        var bits: UInt32 = 0
        for byte in bytes {
            buffer = (buffer << 8 | UInt32(byte)) & 0xFFFF
            bits += 8
            while bits >= 5 {
                bits -= 5
                text.append(alphabet[Int(buffer >> bits & 31)])
            }
        }
        if bits > 0 { text.append(alphabet[Int(buffer << (5 - bits) & 31)]) }
        return String(decoding: text, as: UTF8.self)
    }
}
