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
        try JSONCheck.run(bytes)
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
