import Core

/// The part of JSON Schema (draft 2020-12) that this API's documents need.
package indirect enum APISchema: Sendable {
    case string(format: String? = nil, oneOf: [String]? = nil, maxLength: Int? = nil)
    case integer(minimum: Int? = nil, maximum: Int? = nil)
    case number
    case boolean
    case array(of: APISchema, maxItems: Int? = nil)
    case object([(String, APISchema)], required: [String] = [])
    /// An object with members of any name.
    case map(of: APISchema)
    case nullable(APISchema)
    /// Any one of several shapes.
    case oneOf([APISchema])
    case ref(String)
    case any

    package static let string = APISchema.string()
    package static let integer = APISchema.integer()
    package static let id = APISchema.string(format: "uuid")
    package static let dateTime = APISchema.string(format: "date-time")
    package static let email = APISchema.string(format: "email", maxLength: 254)

    /// A list as every list of this API is answered.
    package static func page(of item: APISchema) -> APISchema {
        .object([("data", .array(of: item)), ("nextCursor", .nullable(.string))], required: ["data", "nextCursor"])
    }

    var json: JSONValue {
        switch self {
        case .string(let format, let values, let maxLength):
            var members: [String: JSONValue] = ["type": .string("string")]
            if let format { members["format"] = .string(format) }
            if let values { members["enum"] = .array(values.map(JSONValue.string)) }
            if let maxLength { members["maxLength"] = .int(maxLength) }
            return .object(members)
        case .integer(let minimum, let maximum):
            var members: [String: JSONValue] = ["type": .string("integer")]
            if let minimum { members["minimum"] = .int(minimum) }
            if let maximum { members["maximum"] = .int(maximum) }
            return .object(members)
        case .number: return .object(["type": .string("number")])
        case .boolean: return .object(["type": .string("boolean")])
        case .array(let item, let maxItems):
            var members: [String: JSONValue] = ["type": .string("array"), "items": item.json]
            if let maxItems { members["maxItems"] = .int(maxItems) }
            return .object(members)
        case .object(let properties, let required):
            var described: [String: JSONValue] = [:]
            for (name, schema) in properties { described[name] = schema.json }
            var members: [String: JSONValue] = ["type": .string("object"), "properties": .object(described)]
            if !required.isEmpty { members["required"] = .array(required.map(JSONValue.string)) }
            return .object(members)
        case .map(let value):
            return .object(["type": .string("object"), "additionalProperties": value.json])
        case .nullable(let schema):
            return .object(["anyOf": .array([schema.json, .object(["type": .string("null")])])])
        case .oneOf(let schemas): return .object(["oneOf": .array(schemas.map(\.json))])
        case .ref(let name): return .object(["$ref": .string("#/components/schemas/\(name)")])
        case .any: return .object([:])
        }
    }
}

extension APISchema {
    /// The shape in a few words for people: `{ email: string, tags: [string] }`.
    package var outline: String {
        switch self {
        case .string(let format, let values, _): values.map { $0.joined(separator: " | ") } ?? format ?? "string"
        case .integer: "integer"
        case .number: "number"
        case .boolean: "boolean"
        case .array(let item, _): "[\(item.outline)]"
        case .object(let properties, let required):
            "{ "
                + properties.map { name, schema in "\(name)\(required.contains(name) ? "" : "?"): \(schema.outline)" }
                .joined(separator: ", ") + " }"
        case .map(let value): "{ name: \(value.outline) }"
        case .nullable(let schema): "\(schema.outline) or null"
        case .oneOf(let schemas): schemas.map(\.outline).joined(separator: " or ")
        case .ref(let name): name
        case .any: "anything"
        }
    }
}
