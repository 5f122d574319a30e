import Core

/// Takes a message of ours apart again, for showing it. It reads what `MessageTemplate` writes and no more.
struct OutboxReader: Sendable {
    let headers: String
    let text: String
    let html: String

    init(_ raw: [UInt8]) {
        let (head, body): (String, [UInt8]) = Self.split(raw)
        headers = head
        guard let boundary = Self.boundary(in: head) else {
            text = String(decoding: Self.decoded(body, head: head), as: UTF8.self)
            html = ""
            return
        }
        var text = ""
        var html = ""
        for part in Self.parts(of: body, boundary: boundary) {
            let (partHead, partBody): (String, [UInt8]) = Self.split(part)
            let content = String(decoding: Self.decoded(partBody, head: partHead), as: UTF8.self)
            if partHead.lowercased().contains("text/html") {
                html = content
            } else if partHead.lowercased().contains("text/plain") {
                text = content
            }
        }
        self.text = text
        self.html = html
    }

    /// Headers and body, apart at the first empty line.
    private static func split(_ bytes: [UInt8]) -> (String, [UInt8]) {
        var index = 0
        while index + 3 < bytes.count {
            if bytes[index] == 13, bytes[index + 1] == 10, bytes[index + 2] == 13, bytes[index + 3] == 10 {
                return (String(decoding: bytes[..<index], as: UTF8.self), Array(bytes[(index + 4)...]))
            }
            index += 1
        }
        return (String(decoding: bytes, as: UTF8.self), [])
    }

    private static func boundary(in head: String) -> String? {
        guard let start = head.range(of: "boundary=\"") else { return nil }
        return head[start.upperBound...].split(separator: "\"", maxSplits: 1).first.map(String.init)
    }

    private static func parts(of body: [UInt8], boundary: String) -> [[UInt8]] {
        let text = String(decoding: body, as: UTF8.self)
        let pieces: [Substring] = text.split(separator: "--\(boundary)")
        return pieces.compactMap { piece in
            let bytes: [UInt8] = Array(piece.utf8)
            guard bytes.count > 2, bytes[0] == 13, bytes[1] == 10 else { return nil }
            return Array(bytes.dropFirst(2))
        }
    }

    private static func decoded(_ body: [UInt8], head: String) -> [UInt8] {
        guard head.lowercased().contains("quoted-printable") else { return body }
        var output: [UInt8] = []
        var index = 0
        while index < body.count {
            if body[index] == UInt8(ascii: "="), index + 2 < body.count {
                if body[index + 1] == 13 {
                    index += 3
                    continue
                }
                if let byte = UInt8(String(decoding: body[(index + 1)...(index + 2)], as: UTF8.self), radix: 16) {
                    output.append(byte)
                    index += 3
                    continue
                }
            }
            output.append(body[index])
            index += 1
        }
        return output
    }
}

extension String {
    /// The first place of a text, without Foundation.
    fileprivate func range(of text: String) -> Range<String.Index>? {
        ranges(of: text).first
    }
}
