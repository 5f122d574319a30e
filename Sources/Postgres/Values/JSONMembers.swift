import Core

/// The members of a stored JSON object in the order in which the server keeps them, which is the same for objects with the
/// same keys. For hot paths: nothing is hashed.
package struct JSONMembers: Sendable {
    package let keys: [String]
    package let values: [JSONValue]

    package init(_ members: [String: JSONValue]) {
        keys = members.keys.sorted()
        values = keys.map { members[$0] ?? .null }
    }

    fileprivate init(keys: [String], values: [JSONValue]) {
        self.keys = keys
        self.values = values
    }
}

extension JSONMembers: PostgresDecodable {
    /// - Throws: a mismatch for JSON that is no object.
    package init(from cell: PostgresCell) throws {
        var reader = JSONReader(try cell.jsonText())
        var keys: [String] = []
        var values: [JSONValue] = []
        try reader.members { key, value in
            keys.append(key)
            values.append(value)
        }
        self.init(keys: keys, values: values)
    }
}
