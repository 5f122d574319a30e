import Foundation

/// The grammar of e-mail addresses, over bytes so that an importer can check a hundred thousand a second.
package enum EmailSyntax {
    /// RFC 5322 §3.2.3 `atext` and the dot, plus all bytes of other alphabets (RFC 6531 §3.3).
    private static let allowedInLocalPart: [Bool] = table("!#$%&'*+-/=?^_`{|}~.", nonASCII: true)
    /// Letters, digits and hyphen (RFC 1123 §2.1), and the dot between labels.
    private static let allowedInDomain: [Bool] = table("-.", nonASCII: false)

    private static func table(_ extra: String, nonASCII: Bool) -> [Bool] {
        var allowed = [Bool](repeating: false, count: 256)
        for byte in UInt8(ascii: "a")...UInt8(ascii: "z") {
            allowed[Int(byte)] = true
            allowed[Int(byte & 0xDF)] = true
        }
        for byte in UInt8(ascii: "0")...UInt8(ascii: "9") { allowed[Int(byte)] = true }
        for byte in extra.utf8 { allowed[Int(byte)] = true }
        if nonASCII { for byte in 0x80...0xFF { allowed[byte] = true } }
        return allowed
    }

    /// The key of a plain ASCII address (`name@example.com`), written into `key` in lower case, or false when the
    /// address needs the full parser, either because it is flawed or because it is unusual.
    package static func appendPlainKey(of address: UnsafeBufferPointer<UInt8>, to key: inout [UInt8]) -> Bool {
        guard address.count >= 6, address.count <= EmailAddress.maximumLength else { return false }
        var at: Int = -1
        var lastDot: Int = -1
        var previous: UInt8 = UInt8(ascii: ".")
        let start: Int = key.count
        for index in 0..<address.count {
            let byte: UInt8 = address[index]
            if byte >= 0x80 { return rollBack(&key, to: start) }
            if byte == UInt8(ascii: "@") {
                guard at < 0, index > 0, index <= 64, previous != UInt8(ascii: ".") else {
                    return rollBack(&key, to: start)
                }
                at = index
                lastDot = index
            } else if at < 0 {
                guard allowedInLocalPart[Int(byte)] else { return rollBack(&key, to: start) }
                if byte == UInt8(ascii: "."), previous == byte { return rollBack(&key, to: start) }
            } else {
                guard allowedInDomain[Int(byte)] else { return rollBack(&key, to: start) }
                let edge: Bool = previous == UInt8(ascii: ".") || previous == UInt8(ascii: "@")
                if byte == UInt8(ascii: ".") {
                    guard !edge, previous != UInt8(ascii: "-"), index - lastDot <= 64 else {
                        return rollBack(&key, to: start)
                    }
                    lastDot = index
                } else if byte == UInt8(ascii: "-"), edge {
                    return rollBack(&key, to: start)
                }
            }
            previous = byte
            key.append(byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte)
        }
        // The last label begins with a letter: no all-number ending, and an `xn--` label goes to the full parser.
        guard at > 0, lastDot > at, lastDot + 2 < address.count, previous != UInt8(ascii: "-"),
            address.count - lastDot <= 64, isLetter(address[lastDot + 1]), !hasALabel(address, from: at)
        else { return rollBack(&key, to: start) }
        return true
    }

    private static func rollBack(_ key: inout [UInt8], to count: Int) -> Bool {
        key.removeLast(key.count - count)
        return false
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
    }

    private static func hasALabel(_ address: UnsafeBufferPointer<UInt8>, from at: Int) -> Bool {
        var index: Int = at + 1
        while index + 3 < address.count {
            if address[index + 2] == UInt8(ascii: "-"), address[index + 3] == UInt8(ascii: "-") { return true }
            index += 1
        }
        return false
    }

    static func trimmed(_ bytes: [UInt8]) -> [UInt8] {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }
        guard let first = bytes.firstIndex(where: { !isBlank($0) }),
            let last = bytes.lastIndex(where: { !isBlank($0) })
        else { return [] }
        return Array(bytes[first...last])
    }
}

// The part before the @.
extension EmailSyntax {
    static func checkLocalPart(_ local: ArraySlice<UInt8>) throws(EmailAddress.Flaw) {
        guard let first = local.first, let last = local.last else { throw .emptyLocalPart }
        guard local.count <= EmailAddress.maximumLocalLength else { throw .localPartTooLong }
        if first == UInt8(ascii: "\"") { return try checkQuoted(local) }
        for byte in local where !allowedInLocalPart[Int(byte)] {
            if byte == 0x20 || byte == 0x09 { throw .space }
            if byte == UInt8(ascii: "@") { throw .severalAts }
            if byte == UInt8(ascii: "\"") { throw .quoting }
            throw .forbiddenCharacter
        }
        let dot: UInt8 = UInt8(ascii: ".")
        if first == dot || last == dot || zip(local, local.dropFirst()).contains(where: { $0 == dot && $1 == dot }) {
            throw .dotPlacement
        }
        try checkOtherAlphabets(local)
    }

    /// A quoted string (RFC 5321 §4.1.2). Spaces, angle brackets and control characters are refused although the
    /// grammar allows some of them, because they must never reach an SMTP command.
    private static func checkQuoted(_ local: ArraySlice<UInt8>) throws(EmailAddress.Flaw) {
        guard local.count >= 3, local.last == UInt8(ascii: "\"") else { throw .quoting }
        var escaped: Bool = false
        for byte in local.dropFirst().dropLast() {
            if byte == 0x20 || byte == 0x09 { throw .space }
            if byte < 0x21 || byte == 0x7F || byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">") {
                throw .forbiddenCharacter
            }
            if escaped {
                escaped = false
            } else if byte == UInt8(ascii: "\\") {
                escaped = true
            } else if byte == UInt8(ascii: "\"") {
                throw .quoting
            }
        }
        if escaped { throw .quoting }
        try checkOtherAlphabets(local)
    }

    /// Letters, marks and digits of any alphabet; no spaces, controls or invisible characters.
    private static func checkOtherAlphabets(_ local: ArraySlice<UInt8>) throws(EmailAddress.Flaw) {
        guard local.contains(where: { $0 >= 0x80 }) else { return }
        guard let text = String(validating: local, as: UTF8.self) else { throw .forbiddenCharacter }
        for scalar in text.unicodeScalars where scalar.value >= 0x80 {
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
                throw .forbiddenCharacter
            case .spaceSeparator: throw .space
            default: continue
            }
        }
    }

    /// Lower case, composed (NFC), and without quotes that are not needed.
    static func canonicalLocalPart(_ local: ArraySlice<UInt8>) -> String {
        var bytes: [UInt8] = Array(local)
        if bytes.first == UInt8(ascii: "\"") {
            var plain: [UInt8] = []
            var escaped: Bool = false
            for byte in bytes.dropFirst().dropLast() {
                if byte == UInt8(ascii: "\\"), !escaped {
                    escaped = true
                } else {
                    plain.append(byte)
                    escaped = false
                }
            }
            let isPlain: Bool = (try? checkLocalPart(plain[...])) != nil && plain.first != UInt8(ascii: "\"")
            if isPlain { bytes = plain }
        }
        let text: String = String(decoding: bytes, as: UTF8.self).lowercased()
        return bytes.contains { $0 >= 0x80 } ? text.precomposedStringWithCanonicalMapping : text
    }
}

// The domain.
extension EmailSyntax {
    /// The domain in lower-case ASCII. Names in other alphabets go through UTS #46 (non-transitional).
    package static func asciiDomain(_ domain: ArraySlice<UInt8>) throws(EmailAddress.Flaw) -> String {
        guard let first = domain.first else { throw .emptyDomain }
        if first == UInt8(ascii: "[") { throw .addressLiteral }
        for byte in domain where byte < 0x80 && !allowedInDomain[Int(byte)] {
            throw byte == 0x20 || byte == 0x09 ? .space : .domainCharacter
        }
        var ascii: String = String(decoding: domain, as: UTF8.self)
        if domain.contains(where: { $0 >= 0x80 }) {
            guard domain.count <= EmailAddress.maximumLength else { throw .tooLong }
            guard String(validating: domain, as: UTF8.self) != nil, let mapped = internationalised(ascii) else {
                throw .domainName
            }
            ascii = mapped
        }
        ascii = ascii.lowercased()
        try checkLabels(Array(ascii.utf8))
        return ascii
    }

    /// Foundation carries the tables of UTS #46 and applies them to the host of a URL; there is no direct call.
    private static func internationalised(_ domain: String) -> String? {
        URLComponents(string: "http://\(domain)/")?.encodedHost
    }

    private static func checkLabels(_ domain: [UInt8]) throws(EmailAddress.Flaw) {
        guard domain.count <= 253 else { throw .tooLong }
        let labels: [ArraySlice<UInt8>] = domain.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        for label in labels {
            guard let first = label.first, let last = label.last else { throw .domainDotPlacement }
            guard label.count <= 63 else { throw .domainLabelTooLong }
            let hyphen: UInt8 = UInt8(ascii: "-")
            if first == hyphen || last == hyphen { throw .domainHyphen }
            guard label.allSatisfy({ allowedInDomain[Int($0)] }) else { throw .domainName }
        }
        guard labels.count > 1, let top = labels.last else { throw .domainWithoutDot }
        guard top.contains(where: isLetter) else { throw .numericTopLevel }
    }
}
