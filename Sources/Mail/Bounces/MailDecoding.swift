import Core

/// Takes apart what came by mail. Every function answers something for every input.
enum MailDecoding {
    /// Takes the first line off, without its line break, which may be CRLF or LF; nil at the end.
    static func line(of rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard !rest.isEmpty else { return nil }
        let end: Int = rest.firstIndex(of: 10) ?? rest.endIndex
        var line: ArraySlice<UInt8> = rest[rest.startIndex..<end]
        if line.last == 13 { line = line.dropLast() }
        rest = end < rest.endIndex ? rest[(end + 1)...] : rest[rest.endIndex...]
        return line
    }

    /// The parts between lines that begin with a boundary (two hyphens included). A missing end is no matter.
    static func parts(of body: ArraySlice<UInt8>, boundary: [UInt8], limit: Int) -> [ArraySlice<UInt8>] {
        var parts: [ArraySlice<UInt8>] = []
        var rest: ArraySlice<UInt8> = body
        var start: Int?
        while !rest.isEmpty, parts.count < limit {
            let lineStart: Int = rest.startIndex
            guard let line = line(of: &rest), isDelimiter(line, boundary) else { continue }
            if let start { parts.append(body[start..<lineStart]) }
            start = rest.startIndex
            let isLast: Bool = line.dropFirst(boundary.count).starts(with: [45, 45])
            if isLast { return parts }
        }
        if let start, start < body.endIndex, parts.count < limit { parts.append(body[start..<body.endIndex]) }
        return parts
    }

    /// The boundary, perhaps two hyphens, then nothing but white space: one boundary may begin with another.
    private static func isDelimiter(_ line: ArraySlice<UInt8>, _ boundary: [UInt8]) -> Bool {
        guard line.starts(with: boundary) else { return false }
        var rest: ArraySlice<UInt8> = line.dropFirst(boundary.count)
        if rest.starts(with: [45, 45]) { rest = rest.dropFirst(2) }
        return rest.allSatisfy { $0 == 32 || $0 == 9 }
    }

    /// Ignores what is not of the alphabet. What cannot be decoded stays as it is.
    static func base64(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var characters: [UInt8] = bytes.filter { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 43
                || byte == 47
        }
        if characters.count % 4 == 1 { characters.removeLast() }
        return Base64.decodeUnpadded(String(decoding: characters, as: UTF8.self)) ?? Array(bytes)
    }

    static func quotedPrintable(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var index: Int = bytes.startIndex
        while index < bytes.endIndex {
            guard bytes[index] == UInt8(ascii: "="), index + 1 < bytes.endIndex else {
                output.append(bytes[index])
                index += 1
                continue
            }
            if bytes[index + 1] == 10 {
                index += 2
            } else if index + 2 < bytes.endIndex, bytes[index + 1] == 13, bytes[index + 2] == 10 {
                index += 3
            } else if index + 2 < bytes.endIndex,
                let byte = Hexadecimal.decode(String(decoding: bytes[(index + 1)...(index + 2)], as: UTF8.self))?.first
            {
                output.append(byte)
                index += 3
            } else {
                output.append(bytes[index])
                index += 1
            }
        }
        return output
    }
}
