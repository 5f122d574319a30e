/// Filters over text. Positions and lengths count code points, as Liquid always did.
struct LiquidTextFilters {
    let limits: LiquidLimits

    func apply(
        _ filter: LiquidFilter, to input: LiquidValue, _ arguments: [LiquidValue]
    ) throws(LiquidFailure) -> LiquidValue {
        switch filter {
        case .slice: return try slice(input, arguments)
        case .escape, .truncate, .truncatewords, .squish:
            if case .null = input { return .null }
        case .strip, .lstrip, .rstrip, .stripNewlines:
            if case .html(let text) = input { return .html(simple(filter, text)) }
        default: break
        }
        let text: String = LiquidText.text(input)
        switch filter {
        case .append: return .string(text + LiquidText.text(arguments[0]))
        case .prepend: return .string(LiquidText.text(arguments[0]) + text)
        case .truncate: return .string(try truncate(text, arguments))
        case .truncatewords: return .string(try truncateWords(text, arguments))
        case .split: return .array(LiquidSplit.split(text, by: LiquidText.text(arguments[0])))
        case .replace, .replaceFirst, .replaceLast, .remove, .removeFirst, .removeLast:
            let replacement: String = arguments.count > 1 ? LiquidText.text(arguments[1]) : ""
            return .string(try replace(filter, text, LiquidText.text(arguments[0]), replacement))
        default: return .string(simple(filter, text))
        }
    }

    private func simple(_ filter: LiquidFilter, _ text: String) -> String {
        switch filter {
        case .capitalize: text.prefix(1).uppercased() + text.dropFirst().lowercased()
        case .downcase: text.lowercased()
        case .upcase: text.uppercased()
        case .escape: HTMLEntity.escape(text)
        case .escapeOnce: LiquidMarkup.escapeOnce(text)
        case .newlineToBr: LiquidMarkup.breaks(text)
        case .stripHTML: LiquidMarkup.stripped(text)
        case .stripNewlines: LiquidMarkup.withoutNewlines(text)
        case .lstrip: Self.trimmed(text, start: true, end: false)
        case .rstrip: Self.trimmed(text, start: false, end: true)
        case .squish: Self.squished(text)
        default: Self.trimmed(text, start: true, end: true)
        }
    }

    private static func trimmed(_ text: String, start: Bool, end: Bool) -> String {
        var bytes: Substring.UTF8View = text.utf8[...]
        if start { bytes = bytes.drop { ASCII.isSpace($0) || $0 == 0 } }
        if end {
            while let last = bytes.last, ASCII.isSpace(last) || last == 0 { bytes = bytes.dropLast() }
        }
        return String(Substring(bytes))
    }

    private static func squished(_ text: String) -> String {
        var result: [UInt8] = []
        for byte in trimmed(text, start: true, end: true).utf8 {
            if !ASCII.isSpace(byte) {
                result.append(byte)
            } else if result.last != ASCII.space {
                result.append(ASCII.space)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private func slice(_ input: LiquidValue, _ arguments: [LiquidValue]) throws(LiquidFailure) -> LiquidValue {
        let start: Int = try LiquidInteger.strict(arguments[0])
        var length = 1
        if arguments.count > 1, LiquidComparison.isTruthy(arguments[1]) {
            length = try LiquidInteger.strict(arguments[1])
        }
        if case .array(let items) = input {
            return .array(Self.part(of: items, from: start, length: length) ?? [])
        }
        let scalars: [Unicode.Scalar] = Array(LiquidText.text(input).unicodeScalars)
        return .string(Self.string(Self.part(of: scalars, from: start, length: length) ?? []))
    }

    private static func part<Item>(of items: [Item], from start: Int, length: Int) -> [Item]? {
        let place: Int = start < 0 ? items.count + max(start, -items.count - 1) : start
        guard place >= 0, place <= items.count, length >= 0 else { return nil }
        return Array(items[place..<(place + min(length, items.count - place))])
    }

    private static func string(_ scalars: [Unicode.Scalar]) -> String {
        var text = ""
        text.unicodeScalars.append(contentsOf: scalars)
        return text
    }

    private func truncate(_ text: String, _ arguments: [LiquidValue]) throws(LiquidFailure) -> String {
        let length: Int = arguments.isEmpty ? 50 : try LiquidInteger.strict(arguments[0])
        let ending: String = arguments.count > 1 ? LiquidText.text(arguments[1]) : "..."
        let scalars = text.unicodeScalars
        guard scalars.count > length else { return text }
        let kept: Int = max(0, length - min(ending.unicodeScalars.count, max(length, 0)))
        return Self.string(Array(scalars.prefix(kept))) + ending
    }

    private func truncateWords(_ text: String, _ arguments: [LiquidValue]) throws(LiquidFailure) -> String {
        let count: Int = max(1, arguments.isEmpty ? 15 : try LiquidInteger.strict(arguments[0]))
        let ending: String = arguments.count > 1 ? LiquidText.text(arguments[1]) : "..."
        let bytes: [UInt8] = Array(text.utf8)
        var words: [Substring] = []
        var index = 0
        while index < bytes.count, ASCII.isSpace(bytes[index]) { index += 1 }
        while index < bytes.count, words.count < count {
            let start: Int = index
            while index < bytes.count, !ASCII.isSpace(bytes[index]) { index += 1 }
            words.append(Substring(String(decoding: bytes[start..<index], as: UTF8.self)))
            let wordEnd: Int = index
            while index < bytes.count, ASCII.isSpace(bytes[index]) { index += 1 }
            if words.count == count, wordEnd == bytes.count { return text }
        }
        return words.count < count || bytes.isEmpty ? text : words.joined(separator: " ") + ending
    }

    private func replace(
        _ filter: LiquidFilter, _ text: String, _ pattern: String, _ replacement: String
    ) throws(LiquidFailure) -> String {
        let replacing = LiquidReplacement(
            text: Array(text.utf8), pattern: Array(pattern.utf8), limit: limits.outputBytes)
        let result: [UInt8] =
            switch filter {
            case .replace, .remove: try replacing.all(Array(replacement.utf8))
            case .replaceFirst, .removeFirst: replacing.first(Array(replacement.utf8))
            default: replacing.last(Array(replacement.utf8))
            }
        return String(decoding: result, as: UTF8.self)
    }
}

/// Replacing parts of a text. An empty pattern stands between all characters.
struct LiquidReplacement {
    let text: [UInt8]
    let pattern: [UInt8]
    let limit: Int

    func all(_ replacement: [UInt8]) throws(LiquidFailure) -> [UInt8] {
        let insert: [UInt8] = expanded(replacement)
        var result: [UInt8] = []
        var index = 0
        while let found = LiquidBytes.find(pattern, in: text, from: index) {
            result += text[index..<found]
            result += insert
            guard result.count <= limit else {
                throw LiquidFailure(limit: "this text grows over \(limit) bytes")
            }
            index = found + pattern.count
            if pattern.isEmpty {
                guard index < text.count else { return result }
                var next: Int = index + 1
                while next < text.count, LiquidBytes.isContinuation(text[next]) { next += 1 }
                result += text[index..<next]
                index = next
            }
        }
        return result + text[min(index, text.count)...]
    }

    func first(_ replacement: [UInt8]) -> [UInt8] {
        guard let found = LiquidBytes.find(pattern, in: text, from: 0) else { return text }
        return text[..<found] + expanded(replacement) + text[(found + pattern.count)...]
    }

    func last(_ replacement: [UInt8]) -> [UInt8] {
        guard let found = LiquidBytes.findLast(pattern, in: text) else { return text }
        return text[..<found] + replacement + text[(found + pattern.count)...]
    }

    /// In a replacement `\0` and `\&` are what was found, `\1` … `\9` nothing, `\\` a backslash.
    private func expanded(_ replacement: [UInt8]) -> [UInt8] {
        let backslash = UInt8(ascii: "\\")
        guard replacement.contains(backslash) else { return replacement }
        var result: [UInt8] = []
        var index = 0
        while index < replacement.count {
            guard replacement[index] == backslash, index + 1 < replacement.count else {
                result.append(replacement[index])
                index += 1
                continue
            }
            let next: UInt8 = replacement[index + 1]
            switch next {
            case UInt8(ascii: "0"), UInt8(ascii: "&"): result += pattern
            case UInt8(ascii: "1")...UInt8(ascii: "9"): break
            case backslash: result.append(backslash)
            default: result += [backslash, next]
            }
            index += 2
        }
        return result
    }
}

enum LiquidSplit {
    /// One space splits at any run of white space; an empty separator splits into characters; empty parts at the end
    /// are dropped.
    static func split(_ text: String, by separator: String) -> [LiquidValue] {
        if text.isEmpty { return [] }
        if separator.isEmpty { return text.unicodeScalars.map { .string(String($0)) } }
        let bytes: [UInt8] = Array(text.utf8)
        if separator == " " {
            return bytes.split(whereSeparator: ASCII.isSpace).map { .string(String(decoding: $0, as: UTF8.self)) }
        }
        let pattern: [UInt8] = Array(separator.utf8)
        var parts: [ArraySlice<UInt8>] = []
        var index = 0
        while let found = LiquidBytes.find(pattern, in: bytes, from: index) {
            parts.append(bytes[index..<found])
            index = found + pattern.count
        }
        parts.append(bytes[index...])
        while let last = parts.last, last.isEmpty { parts.removeLast() }
        return parts.map { .string(String(decoding: $0, as: UTF8.self)) }
    }
}
