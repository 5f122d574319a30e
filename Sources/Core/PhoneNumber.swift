/// A telephone number in the international form of ITU-T E.164: `+` and at most 15 digits.
///
/// Checked for being possible (a known country code and a length that country uses), not for being in service: whole
/// numbering plans change every month and do not belong in the source.
package struct PhoneNumber: Sendable, Hashable {
    /// `+14155552671`.
    package let e164: String
    /// The country calling code, without `+`.
    package let callingCode: Int
    /// An extension that was written behind the number; never part of the E.164 form.
    package let extensionDigits: String?

    /// Reads a number as people write it: spaces, dots, dashes, brackets, `tel:`, a `00` or `011` prefix, digits of
    /// other scripts, letters on the keypad (`1-800-FLOWERS`).
    ///
    /// - Parameter defaultRegion: ISO 3166 code of the country to read national numbers in. Without it a number
    ///   must carry its country code: guessing would send texts to strangers.
    package init(parsing text: some StringProtocol, defaultRegion: String? = nil) throws(Flaw) {
        let written: PhoneSyntax.Written = try PhoneSyntax.read(text)
        let home: DialPlan? = defaultRegion.flatMap { DialPlan.plan(ofRegion: $0.uppercased()) }
        let international: [UInt8]? = written.hasPlus ? written.digits : PhoneSyntax.withoutPrefix(written.digits, home)
        if let digits = international {
            (callingCode, e164) = try PhoneSyntax.resolve(digits)
        } else {
            guard let home else { throw .noCountry }
            let national: [UInt8] = try home.nationalNumber(written.digits)
            callingCode = home.callingCode
            e164 = PhoneSyntax.e164(home.callingCode, national)
        }
        extensionDigits = written.extensionDigits
    }

    /// For logs: the country code and the last four digits.
    package var masked: String {
        let digits: Substring = e164.dropFirst()
        return "+\(callingCode)•••\(digits.suffix(4))"
    }
}

extension PhoneNumber: CustomStringConvertible {
    package var description: String { e164 }
}

extension PhoneNumber {
    /// What is wrong with a number, in words for the person who typed it.
    package enum Flaw: String, Error, Sendable, CaseIterable {
        case empty, forbiddenCharacter, noCountry, unknownCountry, tooShort, tooLong, impossible

        package var message: String {
            switch self {
            case .empty: "Enter a phone number."
            case .forbiddenCharacter: "The phone number has a character that does not belong in one."
            case .noCountry: "Add the country code, like +44 20 7946 0958."
            case .unknownCountry: "No country has this country code."
            case .tooShort: "The phone number is too short for its country."
            case .tooLong: "The phone number is too long for its country."
            case .impossible: "No phone number in this country looks like this."
            }
        }
    }
}

extension PhoneNumber.Flaw: CustomStringConvertible {
    package var description: String { message }
}

/// From what people write to digits.
enum PhoneSyntax {
    struct Written {
        var hasPlus: Bool = false
        var digits: [UInt8] = []
        var extensionDigits: String?
    }

    static func read(_ text: some StringProtocol) throws(PhoneNumber.Flaw) -> Written {
        if let plain = plain(text) { return plain }
        var written = Written()
        var body: Substring = Substring(String(text))
        if body.lowercased().hasPrefix("tel:") { body = body.dropFirst(4) }
        if let (number, suffix) = splitExtension(body) {
            body = number
            written.extensionDigits = suffix
        }
        guard body.utf8.count <= 100 else { throw .tooLong }
        for scalar in body.unicodeScalars {
            if let digit = digit(scalar, afterDigits: !written.digits.isEmpty) {
                written.digits.append(digit)
            } else if scalar == "+" || scalar == "\u{FF0B}" {
                guard written.digits.isEmpty, !written.hasPlus else { throw .forbiddenCharacter }
                written.hasPlus = true
            } else if !isSeparator(scalar) {
                throw .forbiddenCharacter
            }
        }
        if written.hasPlus, body.unicodeScalars.contains(where: { $0 == "(" }) { dropBracketedZero(body, &written) }
        guard !written.digits.isEmpty else { throw .empty }
        guard written.digits.count <= 20 else { throw .tooLong }
        return written
    }

    /// `+4930123456` and `030123456`, as programs write numbers.
    private static func plain(_ text: some StringProtocol) -> Written? {
        var written = Written()
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): written.digits.append(byte)
            case UInt8(ascii: "+") where written.digits.isEmpty && !written.hasPlus: written.hasPlus = true
            default: return nil
            }
        }
        return (1...20).contains(written.digits.count) ? written : nil
    }

    /// `+44 (0)20 …`: the zero in brackets is for callers inside the country only.
    private static func dropBracketedZero(_ body: Substring, _ written: inout Written) {
        let compact: String = String(body.unicodeScalars.filter { $0 != " " })
        guard let range = compact.firstRange(of: "(0)") else { return }
        let before: Int = compact[..<range.lowerBound].unicodeScalars.count { $0.properties.numericType != nil }
        guard before > 0, before < written.digits.count, written.digits[before] == UInt8(ascii: "0") else { return }
        written.digits.remove(at: before)
    }

    private static func digit(_ scalar: Unicode.Scalar, afterDigits: Bool) -> UInt8? {
        if scalar.isASCII {
            if scalar.value >= 0x30, scalar.value <= 0x39 { return UInt8(scalar.value) }
            guard afterDigits, scalar.properties.isAlphabetic else { return nil }
            return keypad[Int(scalar.value & 0xDF) - 0x41]
        }
        guard scalar.properties.numericType == .decimal, let value = scalar.properties.numericValue else { return nil }
        return 0x30 + UInt8(value)
    }

    /// ITU-T E.161: which digit carries which letter.
    private static let keypad: [UInt8] = Array("22233344455566677778889999".utf8)

    private static func isSeparator(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return " \t\r\n-.()/[]'~".unicodeScalars.contains(scalar) }
        switch scalar.properties.generalCategory {
        case .spaceSeparator, .dashPunctuation, .format: return true
        default: return "\u{2212}\u{30FB}\u{B7}".unicodeScalars.contains(scalar)
        }
    }

    private static func splitExtension(_ body: Substring) -> (Substring, String)? {
        let lower: String = body.lowercased()
        for word in [";ext=", "extension", "ext.", "ext", "#", "x"] {
            guard let range = lower.firstRange(of: word) else { continue }
            let suffix = lower[range.upperBound...].drop { $0 == " " || $0 == "." || $0 == ":" }
            let trimmed: Substring = suffix.prefix { $0.isASCII && $0.isNumber }
            guard !trimmed.isEmpty, trimmed.count <= 7, trimmed.count == suffix.count else { continue }
            let kept: Int = lower[..<range.lowerBound].count
            guard lower.prefix(kept).contains(where: \.isNumber) else { continue }
            var number: Substring = body.prefix(kept)
            while number.last == "," || number.last == ";" { number = number.dropLast() }
            return (number, String(trimmed))
        }
        return nil
    }

    /// The digits behind an international prefix: the home country's, or the ITU's `00` when there is no home.
    static func withoutPrefix(_ digits: [UInt8], _ home: DialPlan?) -> [UInt8]? {
        let prefix: String = home?.internationalPrefix ?? "00"
        guard digits.starts(with: prefix.utf8) else { return nil }
        return Array(digits.dropFirst(prefix.utf8.count))
    }

    static func resolve(_ digits: [UInt8]) throws(PhoneNumber.Flaw) -> (Int, String) {
        guard digits.first != UInt8(ascii: "0") else { throw .unknownCountry }
        guard digits.count <= 15 else { throw .tooLong }
        var code: Int = 0
        for (index, digit) in digits.prefix(3).enumerated() {
            code = code * 10 + Int(digit - 0x30)
            guard let plan = DialPlan.plan(ofCode: code) else { continue }
            let national: [UInt8] = try plan.nationalNumber(Array(digits[(index + 1)...]))
            return (code, e164(code, national))
        }
        throw digits.count < 3 ? .tooShort : .unknownCountry
    }

    static func e164(_ code: Int, _ national: [UInt8]) -> String {
        "+\(code)" + String(decoding: national, as: UTF8.self)
    }
}
