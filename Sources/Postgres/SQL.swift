/// A piece of SQL with its bound values.
///
/// ```swift
/// let sql: SQL = "SELECT \(ContactRow.columns) FROM marketing_contacts WHERE workspace_id = \(workspace)"
/// ```
/// Only three things can enter the text: what the programmer wrote as a literal, another `SQL`, and a checked
/// identifier. Everything else becomes a bound parameter. The literal type is `StaticString`, so a text made at run
/// time cannot be turned into SQL at all.
package struct SQL: Sendable {
    /// The text with `$1`, `$2` … in it.
    private(set) var text: [UInt8] = []
    /// Where each `$` stands in the text, in order, so that splicing can number them anew.
    private(set) var placeholders: [Int] = []
    private(set) var binds: [Bind] = []
    /// The bound values, one after the other, in binary form.
    private(set) var values: [UInt8] = []
    /// Why the piece cannot be run, when an identifier or a value was refused. Reported when it is run.
    private(set) var defect: String?

    struct Bind: Sendable {
        let type: PostgresType
        let start: Int
        /// Nil for NULL.
        let length: Int?
    }

    package static let empty = SQL()

    private init() {}

    /// Words from inside this room only: `SET LOCAL` and the like, built from typed values.
    init(trusted: String) {
        text = Array(trusted.utf8)
    }

    package var isEmpty: Bool { text.isEmpty }

    /// The pieces one after the other with the separator between.
    package static func join(_ pieces: [SQL], separator: SQL) -> SQL {
        var joined = SQL()
        for (index, piece) in pieces.enumerated() {
            if index > 0 { joined.append(separator) }
            joined.append(piece)
        }
        return joined
    }

    package static func + (left: SQL, right: SQL) -> SQL {
        var sum = left
        sum.append(right)
        return sum
    }

    package static func += (left: inout SQL, right: SQL) {
        left.append(right)
    }

    package mutating func append(_ other: SQL) {
        if defect == nil { defect = other.defect }
        guard !binds.isEmpty, !other.binds.isEmpty else {
            for position in other.placeholders { placeholders.append(position + text.count) }
            text.append(contentsOf: other.text)
            takeBinds(of: other)
            return
        }
        var copied: Int = 0
        for (index, position) in other.placeholders.enumerated() {
            text.append(contentsOf: other.text[copied..<position])
            appendPlaceholder(number: binds.count + index + 1)
            copied = position + 1 + decimalDigits(index + 1)
        }
        text.append(contentsOf: other.text[copied...])
        takeBinds(of: other)
    }

    private mutating func takeBinds(of other: SQL) {
        for bind in other.binds {
            binds.append(Bind(type: bind.type, start: bind.start + values.count, length: bind.length))
        }
        values.append(contentsOf: other.values)
    }

    private mutating func appendPlaceholder(number: Int) {
        placeholders.append(text.count)
        text.append(UInt8(ascii: "$"))
        text.append(contentsOf: String(number).utf8)
    }

    private func decimalDigits(_ number: Int) -> Int {
        var digits: Int = 1
        var rest: Int = number / 10
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        return digits
    }

    fileprivate mutating func append(_ literal: StaticString) {
        literal.withUTF8Buffer { text.append(contentsOf: $0) }
    }

    fileprivate mutating func bind<Value: PostgresEncodable>(_ value: Value) {
        let start: Int = values.count
        do {
            let isValue: Bool = try value.encode(into: &values)
            binds.append(Bind(type: Value.postgresType, start: start, length: isValue ? values.count - start : nil))
        } catch {
            values.removeSubrange(start...)
            binds.append(Bind(type: Value.postgresType, start: start, length: nil))
            defect = "A \(Value.self) cannot be stored."
        }
        appendPlaceholder(number: binds.count)
    }

    fileprivate mutating func append(identifier: String) {
        let bytes = Array(identifier.utf8)
        let isLetter: (UInt8) -> Bool = { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "_")
        }
        let isDigit: (UInt8) -> Bool = { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard let first = bytes.first, isLetter(first), bytes.count <= 63,
            bytes.allSatisfy({ isLetter($0) || isDigit($0) })
        else {
            defect = "An identifier has characters that identifiers may not have."
            return
        }
        text.append(UInt8(ascii: "\""))
        text.append(contentsOf: bytes)
        text.append(UInt8(ascii: "\""))
    }
}

extension SQL: CustomStringConvertible {
    /// The text with `$1`, `$2` … in it, without the values.
    package var description: String { String(decoding: text, as: UTF8.self) }
}

extension SQL: ExpressibleByStringInterpolation {
    package init(stringLiteral value: StaticString) {
        append(value)
    }

    package init(stringInterpolation: Interpolation) {
        self = stringInterpolation.sql
    }

    package struct Interpolation: StringInterpolationProtocol {
        fileprivate var sql = SQL()

        package init(literalCapacity: Int, interpolationCount: Int) {
            sql.text.reserveCapacity(literalCapacity + interpolationCount * 3)
            sql.binds.reserveCapacity(interpolationCount)
        }

        package mutating func appendLiteral(_ literal: StaticString) {
            sql.append(literal)
        }

        /// Binds a value.
        package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value) {
            sql.bind(value)
        }

        /// Binds a value that may be missing; nil is NULL.
        package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
            sql.bind(value)
        }

        /// Splices another piece in; its parameters are numbered anew.
        package mutating func appendInterpolation(_ fragment: SQL) {
            sql.append(fragment)
        }

        /// A table or column name, quoted. Lower-case letters, digits and `_`, at most 63; anything else makes the
        /// statement fail before it is sent.
        package mutating func appendInterpolation(identifier: String) {
            sql.append(identifier: identifier)
        }

        /// Text known at compile time, for what is neither value nor identifier.
        package mutating func appendInterpolation(unsafe text: StaticString) {
            sql.append(text)
        }
    }
}
