/// The parts of tags that only views have.
extension ExpressionParser {
    mutating func string(_ name: String) throws(TemplateError) -> String {
        guard case .string(let text) = current.kind else { throw error("expected \(name) in quotes\(found)") }
        advance()
        return text
    }

    /// A name, with or without quotes.
    mutating func word(_ name: String) throws(TemplateError) -> String {
        if case .string(let text) = current.kind {
            advance()
            return text
        }
        return try identifier(name)
    }

    /// `, name: value, name: value`
    mutating func arguments() throws(TemplateError) -> [ViewArgument] {
        var arguments: [ViewArgument] = []
        while take(.comma) {
            let offset: Int = current.range.lowerBound
            let name: String = try identifier("the name of a parameter")
            try expect(.colon, ": after '\(name)'")
            if arguments.contains(where: { $0.name == name }) { throw error("'\(name)' is given twice") }
            arguments.append(ViewArgument(name: name, value: try filteredExpression(), offset: offset))
        }
        return arguments
    }

    /// `name: kind = fallback`
    mutating func parameter(at offset: Int) throws(TemplateError) -> ViewParameter {
        let name: String = try identifier("the name of a parameter")
        try expect(.colon, ": and a kind")
        var typeName: String = try identifier("a kind")
        var isList = false
        if typeName == "list" {
            try expect(.openParenthesis, "( and the type of the items")
            typeName = try identifier("the type of the items")
            try expect(.closeParenthesis, ")")
            isList = true
        }
        var isOptional: Bool = take(.questionMark)
        if typeName.hasSuffix("?") {
            typeName.removeLast()
            isOptional = true
        }
        let fallback: Expression? = take(.equals) ? try expression() : nil
        return ViewParameter(
            name: name, typeName: typeName, isList: isList, isOptional: isOptional, fallback: fallback, offset: offset)
    }

    /// Comparisons joined by `and` or by `or`, not by both.
    mutating func condition() throws(TemplateError) -> ViewCondition {
        var condition: ViewCondition = try comparison()
        var joiner: String?
        while true {
            let word: String? =
                current.kind == .identifier("and") ? "and" : current.kind == .identifier("or") ? "or" : nil
            guard let word else { return condition }
            if let joiner, joiner != word {
                throw error("and and or do not mix in one condition: nest two tags instead")
            }
            joiner = word
            advance()
            let right: ViewCondition = try comparison()
            condition = word == "and" ? .and(condition, right) : .or(condition, right)
        }
    }

    private mutating func comparison() throws(TemplateError) -> ViewCondition {
        let offset: Int = current.range.lowerBound
        let left: Expression = try expression()
        guard case .comparison(let comparison) = current.kind else { return .value(left, at: offset) }
        advance()
        return .compare(left, comparison, try expression(), at: offset)
    }
}

/// "did you mean" for names that are nearly right.
enum ViewHint {
    static func meant(_ name: String, among names: [String]) -> String {
        let limit: Int = max(1, min(3, name.count / 3 + 1))
        let best = names.map { (name: $0, distance: distance(Array(name.utf8), Array($0.utf8))) }
            .min { $0.distance < $1.distance }
        guard let best, best.distance <= limit else { return "" }
        return " (did you mean '\(best.name)'?)"
    }

    /// The number of letters to change, insert, remove or swap.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var rows: [[Int]] = [Array(0...right.count)]
        for i in 0..<left.count {
            var row: [Int] = [i + 1]
            for j in 0..<right.count {
                let change: Int = rows[i][j] + (left[i] == right[j] ? 0 : 1)
                var best: Int = min(change, row[j] + 1, rows[i][j + 1] + 1)
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    best = min(best, rows[i - 1][j - 1] + 1)
                }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[left.count][right.count]
    }
}
