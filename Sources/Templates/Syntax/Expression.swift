/// What an output, a condition or an argument is made of.
package indirect enum Expression: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case double(Double)
    case string(String)
    /// The word `empty`: equal to whatever has no members; an empty string where a value is needed.
    case empty
    /// The word `blank`: equal to whatever is empty, false, nil or only white space.
    case blank
    /// `(first..last)`
    case range(Expression, Expression)
    case variable(VariablePath)
}

/// `customer.orders[0].total`
package struct VariablePath: Hashable, Sendable {
    package enum Root: Hashable, Sendable {
        case name(String)
        /// `['first name']` or `[key].title`: the name is the value of an expression.
        case computed(Expression)
    }

    package enum Segment: Hashable, Sendable {
        /// `.name`
        case name(String)
        /// `[expression]`
        case index(Expression)
    }

    package let root: Root
    package let segments: [Segment]
    /// Bytes of the template's source.
    package let range: Range<Int>

    package init(root: Root, segments: [Segment], range: Range<Int>) {
        self.root = root
        self.segments = segments
        self.range = range
    }

    /// The path as far as it is known before rendering: `customer.orders` for `customer.orders[index].total`.
    package var staticName: String? {
        guard case .name(var text) = root else { return nil }
        for segment in segments {
            switch segment {
            case .name(let name): text += ".\(name)"
            case .index(.string(let name)): text += ".\(name)"
            case .index: return text
            }
        }
        return text
    }
}

/// `| truncate: 20, "…"`
package struct FilterCall: Hashable, Sendable {
    package struct NamedArgument: Hashable, Sendable {
        package let name: String
        package let value: Expression

        package init(name: String, value: Expression) {
            self.name = name
            self.value = value
        }
    }

    package let name: String
    package let arguments: [Expression]
    package let named: [NamedArgument]
    /// Bytes of the template's source: the filter's name.
    package let range: Range<Int>

    package init(name: String, arguments: [Expression], named: [NamedArgument], range: Range<Int>) {
        self.name = name
        self.arguments = arguments
        self.named = named
        self.range = range
    }
}

/// An expression and the filters it goes through, in order.
package struct FilteredExpression: Hashable, Sendable {
    package let expression: Expression
    package let filters: [FilterCall]

    package init(expression: Expression, filters: [FilterCall]) {
        self.expression = expression
        self.filters = filters
    }
}
