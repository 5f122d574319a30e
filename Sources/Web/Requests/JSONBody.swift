import Core
import FoundationEssentials

/// An input type that knows its members, so that a misspelt one is refused instead of ignored.
package protocol StrictInput: Decodable {
    static var memberNames: Set<String> { get }
}

/// Reading JSON bodies and writing JSON answers: camelCase, ISO 8601 in UTC with milliseconds.
package enum JSONBody {
    package static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        guard !bytes.isEmpty else {
            throw WebError.badRequest("The body is empty; send a JSON object.", code: "empty_body")
        }
        try check(bytes)
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            let text = try container.decode(String.self)
            guard let date = ISO8601.parse(text) else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "Give a time with its zone, like 2026-01-15T09:30:00Z.")
            }
            return date
        }
        let data = Data(bytes)
        do {
            if let strict = type as? any StrictInput.Type {
                try refuseUnknownMembers(of: strict, in: data, decoder: decoder)
            }
            return try decoder.decode(type, from: data)
        } catch let error as DecodingError {
            throw translated(error)
        }
    }

    package static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(ISO8601.format(date))
        }
        return Array(try encoder.encode(value))
    }

    private struct AnyMembers: Decodable {
        let names: [String]

        struct Name: CodingKey {
            let stringValue: String
            let intValue: Int? = nil
            init?(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            names = try decoder.container(keyedBy: Name.self).allKeys.map(\.stringValue)
        }
    }

    private static func refuseUnknownMembers(of type: any StrictInput.Type, in data: Data, decoder: JSONDecoder) throws
    {
        let unknown = try decoder.decode(AnyMembers.self, from: data).names.filter { !type.memberNames.contains($0) }
        var errors = ValidationErrors()
        for name in unknown.sorted() {
            errors.add(name, "There is no member called “\(name.prefix(60))” here.")
        }
        try errors.throwIfAny()
    }

    /// Nesting deeper than this has no use in this API and would only exhaust the stack.
    private static let depthLimit = 32

    private static let escapedNul = Array("u0000".utf8)

    /// Refuses what no member could take: deep nesting, and the character NUL, which PostgreSQL has no place for.
    private static func check(_ bytes: [UInt8]) throws {
        var depth = 0
        var inString = false
        var escaped = false
        for (index, byte) in bytes.enumerated() {
            if inString {
                if escaped {
                    if byte == escapedNul[0], bytes[index...].starts(with: escapedNul) {
                        throw WebError.badRequest("Text must not contain the character U+0000.", code: "nul_character")
                    }
                    escaped = false
                } else if byte == UInt8(ascii: "\\") {
                    escaped = true
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): inString = true
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                guard depth <= depthLimit else {
                    throw WebError.badRequest("The JSON is nested deeper than \(depthLimit) levels.", code: "too_deep")
                }
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            default: break
            }
        }
    }

    private static func translated(_ error: DecodingError) -> any Error {
        switch error {
        case .keyNotFound(let key, let context):
            return ValidationErrors(place(context.codingPath + [key]), "This is required.")
        case .typeMismatch(let type, let context):
            return ValidationErrors(place(context.codingPath), "This must be \(words(for: type)).")
        case .valueNotFound(let type, let context):
            return ValidationErrors(place(context.codingPath), "This must be \(words(for: type)), not null.")
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            return ValidationErrors(place(context.codingPath), context.debugDescription)
        default:
            return WebError.badRequest("The body is not valid JSON.", code: "malformed_json")
        }
    }

    private static func place(_ path: [any CodingKey]) -> String {
        path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: "/")
    }

    private static func words(for type: any Any.Type) -> String {
        switch type {
        case is String.Type: "text"
        case is Bool.Type: "true or false"
        case is Int.Type: "a whole number"
        case is Double.Type: "a number"
        case is [String: JSONValue].Type: "an object"
        default: "\(type)".hasPrefix("Array") ? "a list" : "an object or a value of another kind"
        }
    }
}
