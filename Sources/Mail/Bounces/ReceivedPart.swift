import Core

/// A message that somebody sent to us, or one part of it. It may be broken or hostile: what cannot be read is left out,
/// nothing is refused, and the limits keep the work small whatever comes.
struct ReceivedPart {
    /// How deep parts may lie within parts, and how many parts are looked at in all.
    static let depthLimit = 10
    static let partLimit = 100

    let fields: ReceivedFields
    let body: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        (fields, body) = ReceivedFields.split(bytes)
    }

    /// `text/plain` and the like, in lower case; that is also what a part without the field is.
    var type: String {
        let value: String = fields["content-type"] ?? "text/plain"
        return String(value.prefix { $0 != ";" && $0 != " " }).lowercased()
    }

    /// The body as it was before it was encoded for the way.
    var content: [UInt8] {
        switch fields["content-transfer-encoding"]?.lowercased().trimmingSpaces {
        case "base64": MailDecoding.base64(body)
        case "quoted-printable": MailDecoding.quotedPrintable(body)
        default: Array(body)
        }
    }

    /// Every part that is not a multipart itself, in order. A message within the message is one part.
    func leaves() -> [ReceivedPart] {
        var found: [ReceivedPart] = []
        collect(into: &found, depth: 0)
        return found
    }

    private func collect(into found: inout [ReceivedPart], depth: Int) {
        guard found.count < Self.partLimit else { return }
        guard type.hasPrefix("multipart/"), let boundary, depth < Self.depthLimit else {
            found.append(self)
            return
        }
        for part in MailDecoding.parts(of: body, boundary: Array("--\(boundary)".utf8), limit: Self.partLimit) {
            ReceivedPart(part).collect(into: &found, depth: depth + 1)
        }
    }

    private var boundary: String? {
        for parameter in (fields["content-type"] ?? "").split(separator: ";").dropFirst() {
            guard let equals = parameter.firstIndex(of: "="),
                String(parameter[..<equals]).lowercased().trimmingSpaces == "boundary"
            else { continue }
            let value: String = String(parameter[parameter.index(after: equals)...]).trimmingSpaces
            let text: Substring =
                value.hasPrefix("\"") ? value.dropFirst().prefix { $0 != "\"" } : value.prefix { $0 != " " }
            return (1...200).contains(text.utf8.count) ? String(text) : nil
        }
        return nil
    }
}

/// The header fields at the beginning of a message, or of a group within a report.
struct ReceivedFields {
    static let limit = 400
    /// Characters of a value that are kept.
    static let valueLimit = 4_000

    private var values: [(name: String, value: String)] = []

    /// The first field of a name, which is given in lower case.
    subscript(name: String) -> String? { values.first { $0.name == name }?.value }

    func all(_ name: String) -> [String] { values.filter { $0.name == name }.map(\.value) }

    var isEmpty: Bool { values.isEmpty }

    /// Reads fields up to the first empty line; what follows it is the rest.
    static func split(_ bytes: ArraySlice<UInt8>) -> (ReceivedFields, rest: ArraySlice<UInt8>) {
        var fields = ReceivedFields()
        var current: [UInt8] = []
        var rest: ArraySlice<UInt8> = bytes
        while let line = MailDecoding.line(of: &rest) {
            if line.isEmpty { break }
            if line.first == 32 || line.first == 9 {
                if current.count < valueLimit { current += line }
            } else {
                fields.add(current)
                current = Array(line.prefix(valueLimit))
            }
        }
        fields.add(current)
        return (fields, rest)
    }

    /// The groups of fields that empty lines keep apart.
    static func groups(_ bytes: [UInt8], limit: Int) -> [ReceivedFields] {
        var groups: [ReceivedFields] = []
        var rest: ArraySlice<UInt8> = bytes[...]
        while !rest.isEmpty, groups.count < limit {
            let (fields, next) = split(rest)
            if !fields.isEmpty { groups.append(fields) }
            rest = next
        }
        return groups
    }

    /// A line without a colon, such as the `From ` of a mailbox file, is no field.
    private mutating func add(_ line: [UInt8]) {
        guard values.count < Self.limit, let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0 else { return }
        let name: String = String(decoding: line[..<colon], as: UTF8.self).lowercased().trimmingSpaces
        guard !name.isEmpty, !name.contains(" ") else { return }
        let value: String = String(decoding: line[(colon + 1)...], as: UTF8.self).trimmingSpaces
        values.append((name, value))
    }
}

extension String {
    /// Without the white space at both ends.
    var trimmingSpaces: String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" || $0 == "\n" || $0 == "\r\n" }
        guard let first = firstIndex(where: { !isSpace($0) }), let last = lastIndex(where: { !isSpace($0) }) else {
            return ""
        }
        return String(self[first...last])
    }
}
