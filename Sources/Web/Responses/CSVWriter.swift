/// Writes comma-separated values (RFC 4180) that a spreadsheet will not run as formulas.
package enum CSVWriter {
    /// One line with its line end. Cells that a spreadsheet would take for a formula get an apostrophe in front; the
    /// importer takes it off again.
    package static func line(_ cells: [String], limit: Int = .max) -> String {
        var bytes: [UInt8] = []
        append(cells, to: &bytes, limit: limit)
        return String(decoding: bytes, as: UTF8.self)
    }

    package static func append(_ cells: [String], to bytes: inout [UInt8], limit: Int = .max) {
        for (index, cell) in cells.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            let shown: String = cell.utf8.count > limit ? String(cell.prefix(limit / 4)) + "…" : cell
            append(shown, to: &bytes)
        }
        bytes.append(contentsOf: [13, 10])
    }

    private static func append(_ cell: String, to bytes: inout [UInt8]) {
        var text: String = cell
        text.withUTF8 { cell in
            let isFormula: Bool = looksLikeFormula(cell)
            let needsQuotes: Bool = cell.contains { $0 == 0x22 || $0 == 0x2C || $0 == 10 || $0 == 13 }
            if needsQuotes { bytes.append(0x22) }
            if isFormula { bytes.append(UInt8(ascii: "'")) }
            if needsQuotes {
                for byte in cell {
                    if byte == 0x22 { bytes.append(0x22) }
                    bytes.append(byte)
                }
                bytes.append(0x22)
            } else {
                bytes.append(contentsOf: cell)
            }
        }
    }

    /// ASVS 1.2.10 and the full-width forms: `= + - @`, tab, CR, NUL, also behind white space.
    package static func looksLikeFormula(_ cell: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = cell.first else { return false }
        if first == 9 || first == 13 || first == 0 { return true }
        var index: Int = 0
        while index < cell.count, cell[index] <= 0x20 { index += 1 }
        guard index < cell.count else { return false }
        switch cell[index] {
        case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"): return true
        case 0xEF where index + 2 < cell.count && cell[index + 1] == 0xBC:
            // ＋ (U+FF0B), － (U+FF0D), ＝ (U+FF1D), ＠ (U+FF20)
            return [0x8B, 0x8D, 0x9D, 0xA0].contains(cell[index + 2])
        default: return false
        }
    }
}
