import Core

/// A file sent along with a message.
package struct MailAttachment: Sendable {
    package let fileName: String
    /// For instance `application/pdf`.
    package let contentType: String
    package let bytes: [UInt8]

    package init(fileName: String, contentType: String, bytes: [UInt8]) {
        self.fileName = fileName
        self.contentType = contentType
        self.bytes = bytes
    }

    /// The part with its headers, base64 in lines of 76.
    func part() throws(ValidationErrors) -> [UInt8] {
        guard !HeaderText.hasControl(fileName.utf8), !HeaderText.hasControl(contentType.utf8),
            contentType.utf8.allSatisfy({ $0 > 32 && $0 < 127 }), fileName.utf8.count <= 255
        else {
            throw ValidationErrors(
                "attachment", "The name or type of an attachment has characters that are not allowed.")
        }
        var output: [UInt8] = Array("Content-Type: \(contentType)\r\nContent-Transfer-Encoding: base64\r\n".utf8)
        output += "Content-Disposition: attachment; \(Self.fileNameParameters(fileName))\r\n\r\n".utf8
        let coded: [UInt8] = Array(Base64.encode(bytes).utf8)
        for start in stride(from: 0, to: coded.count, by: 76) {
            output += coded[start..<min(start + 76, coded.count)]
            output += [13, 10]
        }
        return output
    }

    /// `filename=` in ASCII for old readers and, where that is not the whole name, `filename*=` (RFC 2231).
    static func fileNameParameters(_ name: String) -> String {
        var fallback = ""
        var extended = "UTF-8''"
        for byte in name.utf8 {
            let isPlain: Bool = isAttributeCharacter(byte)
            extended += isPlain ? String(UnicodeScalar(byte)) : "%" + Hexadecimal.encode([byte]).uppercased()
        }
        for scalar in name.unicodeScalars {
            let isSafe: Bool = scalar.isASCII && scalar != "\"" && scalar != "\\" && scalar.value >= 32
            fallback.unicodeScalars.append(isSafe ? scalar : "_")
        }
        if fallback == name { return "filename=\"\(fallback)\"" }
        return "filename=\"\(fallback)\";\r\n filename*=\(extended)"
    }

    private static func isAttributeCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "*"), UInt8(ascii: "'"), UInt8(ascii: "%"): false
        default: HeaderText.isAtom(byte) || byte == UInt8(ascii: ".")
        }
    }
}
