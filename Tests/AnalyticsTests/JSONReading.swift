import Core

extension JSONValue {
    var intValue: Int? {
        guard case .int(let number) = self else { return nil }
        return number
    }

    var arrayValue: [JSONValue]? {
        guard case .array(let values) = self else { return nil }
        return values
    }

    subscript(index: Int) -> JSONValue? {
        guard let values = arrayValue, values.indices.contains(index) else { return nil }
        return values[index]
    }
}
