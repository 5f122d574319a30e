import Web

/// What the query of a click's address says, unchecked.
struct ClickQuery {
    let number: Int
    let url: String
    let tag: String

    init?(_ values: FormValues) {
        guard let number = values.integer("l"), let url = values.raw("u"), let tag = values.raw("s") else { return nil }
        self.number = number
        self.url = url
        self.tag = tag
    }

    /// Reads the query as it stands in the address, without a table of its fields.
    init?(_ text: String) {
        var number: Int?
        var (url, tag): (String?, String?)
        for field in text.utf8.split(separator: UInt8(ascii: "&"), maxSplits: 10) {
            guard field.dropFirst().first == UInt8(ascii: "=") else { continue }
            let value = Substring(field.dropFirst(2))
            switch field.first {
            case UInt8(ascii: "l"): number = number ?? Int(value)
            case UInt8(ascii: "u"): url = url ?? FormValues.decoded(value)
            case UInt8(ascii: "s"): tag = tag ?? FormValues.decoded(value)
            default: continue
            }
        }
        guard let number, let url, let tag else { return nil }
        self.number = number
        self.url = url
        self.tag = tag
    }
}
