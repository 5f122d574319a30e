import Core

/// What a customer's template can see: the data that it is rendered with, and whatever its filters make of it.
package enum LiquidValue: Sendable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    /// Text that is HTML already: an `.html` template puts it out as it stands. Only we make it, never customers' data.
    case html(String)
    case array([LiquidValue])
    case object(LiquidObject)
    /// `(first..last)`, both included; nothing when `last` is smaller.
    case range(Int, Int)

    package init(_ json: JSONValue) {
        switch json {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(value)
        case .double(let value): self = .double(value)
        case .string(let value): self = .string(value)
        case .array(let values): self = .array(values.map { LiquidValue($0) })
        case .object(let members):
            let keys: [String] = members.keys.sorted()
            self = .object(LiquidObject(keys.map { ($0, LiquidValue(members[$0] ?? .null)) }))
        }
    }

    /// The text of a string, HTML or not; nil for anything else.
    var stringValue: String? {
        switch self {
        case .string(let text), .html(let text): text
        default: nil
        }
    }

    /// An object with these members, in this order.
    package static func object(_ members: KeyValuePairs<String, LiquidValue>) -> LiquidValue {
        .object(LiquidObject(members.map { ($0.key, $0.value) }))
    }
}

extension LiquidValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByFloatLiteral, ExpressibleByArrayLiteral, ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .int(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(floatLiteral value: Double) { self = .double(value) }
    package init(arrayLiteral elements: LiquidValue...) { self = .array(elements) }
    package init(nilLiteral: ()) { self = .null }
}

/// The names of an object's members, worked out once and shared by all objects of the same kind: a campaign renders
/// one template for many contacts, which all have the same fields.
package final class LiquidShape: Sendable {
    package let keys: [String]
    private let index: [String: Int]

    /// Up to this many members a walk is faster than hashing.
    private static let smallCount = 6

    /// Of keys that occur twice the last one wins.
    package init(_ keys: [String]) {
        self.keys = keys
        if keys.count > Self.smallCount {
            self.index = Dictionary(zip(keys, keys.indices)) { _, last in last }
        } else {
            self.index = [:]
        }
    }

    func position(of key: String) -> Int? {
        if index.isEmpty { return keys.lastIndex(of: key) }
        return index[key]
    }
}

/// An object whose members keep their order.
package struct LiquidObject: Sendable {
    package let shape: LiquidShape
    package let values: [LiquidValue]
    /// What the loop objects print as; nil for data.
    let typeName: String?

    /// - Parameter values: one for each key of the shape; missing ones read as nil.
    package init(_ shape: LiquidShape, _ values: [LiquidValue]) {
        self.shape = shape
        self.values = values
        self.typeName = nil
    }

    init(_ shape: LiquidShape, _ values: [LiquidValue], typeName: String) {
        self.shape = shape
        self.values = values
        self.typeName = typeName
    }

    package init(_ members: [(String, LiquidValue)]) {
        self.init(LiquidShape(members.map(\.0)), members.map(\.1))
    }

    package subscript(key: String) -> LiquidValue? {
        guard let position = shape.position(of: key), position < values.count else { return nil }
        return values[position]
    }

    package var count: Int { min(shape.keys.count, values.count) }

    package var isEmpty: Bool { count == 0 }

    /// The members as pairs, the way a loop over an object sees them.
    var pairs: [LiquidValue] {
        zip(shape.keys, values).map { .array([.string($0), $1]) }
    }
}

/// Why something could not be rendered; the renderer adds the place.
struct LiquidFailure: Error {
    let message: String
    /// A limit ends the rendering, whatever the style of errors.
    let isLimit: Bool
    /// Set once the place is known.
    let located: TemplateError?

    init(_ message: String) {
        self.message = message
        self.isLimit = false
        self.located = nil
    }

    init(limit message: String) {
        self.message = message
        self.isLimit = true
        self.located = nil
    }

    init(_ error: TemplateError, isLimit: Bool) {
        self.message = error.message
        self.isLimit = isLimit
        self.located = error
    }
}
