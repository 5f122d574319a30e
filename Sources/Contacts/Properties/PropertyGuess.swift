import Core
import FoundationEssentials

/// Tells the type of a property from values that come in under an unknown name.
package enum PropertyGuess {
    /// The type of one JSON value; nil for what no property can hold. Texts stay texts unless they are web addresses, days
    /// or moments: who sends JSON says numbers as numbers.
    package static func type(of value: JSONValue) -> (PropertyType, [PropertyOption])? {
        switch value {
        case .null: return (.text, [])
        case .bool: return (.boolean, [])
        case .int, .double: return (.number, [])
        case .string(let text):
            for type in [PropertyType.url, .date, .dateTime] where fits(text, type) { return (type, []) }
            let isLong: Bool = text.utf8.count > 1000 || text.utf8.contains(10)
            return (isLong ? .longText : .text, [])
        case .array(let values):
            var options: [PropertyOption] = []
            for value in values {
                guard let text = value.stringValue?.trimmed, !text.isEmpty, text.count <= 100 else { return nil }
                if !options.contains(where: { $0.value == text }) {
                    options.append(PropertyOption(value: text, label: text))
                }
            }
            return options.isEmpty ? nil : (.multiSelect, options)
        case .object:
            return (try? PropertyValue(type: .money).normalized(value)) == nil ? nil : (.money, [])
        }
    }

    /// The type of a column of texts, as files give them: the narrowest that all of them fit.
    package static func type(ofColumn cells: [String]) -> PropertyType {
        let cells: [String] = cells.map(\.trimmed).filter { !$0.isEmpty }
        guard !cells.isEmpty else { return .text }
        // Postcodes, customer numbers and the like begin with zeros or are longer than numbers are.
        let hasCode: Bool = cells.contains { cell in
            (cell.hasPrefix("0") && cell.count > 1 && !cell.hasPrefix("0.")) || cell.hasPrefix("+") || cell.count > 15
        }
        if !hasCode, cells.allSatisfy({ fits($0, .number) }) { return .number }
        let words: Set<String> = ["yes", "no", "true", "false"]
        if cells.allSatisfy({ words.contains($0.lowercased()) }) { return .boolean }
        for type in [PropertyType.date, .dateTime, .money, .url] where cells.allSatisfy({ fits($0, type) }) {
            return type
        }
        return cells.contains { $0.count > 500 || $0.utf8.contains(10) } ? .longText : .text
    }

    private static func fits(_ text: String, _ type: PropertyType) -> Bool {
        (try? PropertyValue(type: type).normalized(.string(text))) != nil
    }
}
