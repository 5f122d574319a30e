/// A compiled piece of a template.
enum LiquidNode: Sendable {
    case text([UInt8])
    /// The content of a raw block: text that white space control leaves alone.
    case raw([UInt8])
    case output(LiquidOutput)
    case assign(name: String, LiquidOutput)
    case capture(LiquidBlock)
    case branches(LiquidBranches)
    case choice(LiquidChoice)
    case loop(LiquidLoop)
    case tableRow(LiquidLoop)
    case ifChanged(LiquidBlock)
    case cycle(LiquidCycle)
    case count(LiquidCounter)
    case partial(LiquidPartialCall)
    case breakLoop(offset: Int)
    case continueLoop(offset: Int)
    case nothing

    /// Puts nothing out but white space: errors of such nodes are silent, and blocks of nothing else are dropped.
    var isBlank: Bool {
        switch self {
        case .text(let bytes): bytes.allSatisfy(ASCII.isSpace)
        case .assign, .capture, .nothing: true
        case .branches(let node): node.isBlank
        case .choice(let node): node.isBlank
        case .loop(let node), .tableRow(let node): node.isBlank
        case .ifChanged(let node): node.isBlank
        case .raw, .output, .cycle, .count, .partial, .breakLoop, .continueLoop: false
        }
    }

    /// Where the node begins in its source, for messages.
    var offset: Int {
        switch self {
        case .text, .raw, .nothing: 0
        case .output(let node), .assign(_, let node): node.offset
        case .capture(let node), .ifChanged(let node): node.offset
        case .branches(let node): node.offset
        case .choice(let node): node.offset
        case .loop(let node), .tableRow(let node): node.offset
        case .cycle(let node): node.offset
        case .count(let node): node.offset
        case .partial(let node): node.offset
        case .breakLoop(let offset), .continueLoop(let offset): offset
        }
    }
}

/// A filter with its arguments, checked when the template was compiled.
struct LiquidFilterStep: Sendable {
    let filter: LiquidFilter
    let arguments: [Expression]
    let named: [FilterCall.NamedArgument]
}

/// A value on its way through filters.
final class LiquidOutput: Sendable {
    let expression: Expression
    let filters: [LiquidFilterStep]
    /// What an output in an `.html` template does with the text.
    let escaping: Escaping
    let offset: Int

    enum Escaping: Sendable {
        case none
        case escape
        /// The chain ends in `newline_to_br`: the text is escaped before the tags go in.
        case escapeThenBreaks
    }

    init(expression: Expression, filters: [LiquidFilterStep], escaping: Escaping, offset: Int) {
        self.expression = expression
        self.filters = filters
        self.escaping = escaping
        self.offset = offset
    }
}

/// A list of nodes under a name: `capture`, `ifchanged`.
final class LiquidBlock: Sendable {
    let name: String
    let nodes: [LiquidNode]
    let isBlank: Bool
    let offset: Int

    init(name: String, nodes: [LiquidNode], isBlank: Bool, offset: Int) {
        self.name = name
        self.nodes = nodes
        self.isBlank = isBlank
        self.offset = offset
    }
}

/// One comparison, or one value taken as true or false.
struct LiquidComparisonTerm: Sendable {
    let left: Expression
    let operation: Comparison?
    let right: Expression
}

/// Terms joined by `and` and `or`; they are taken from the right, neither goes before the other.
struct LiquidCondition: Sendable {
    enum Connective: Sendable {
        case and, or
    }

    let first: LiquidComparisonTerm
    let rest: [(Connective, LiquidComparisonTerm)]
}

/// `if`, `unless`, `elsif`, `else`.
final class LiquidBranches: Sendable {
    struct Branch: Sendable {
        /// Nil for `else`.
        let condition: LiquidCondition?
        let isNegated: Bool
        let nodes: [LiquidNode]
    }

    let branches: [Branch]
    let isBlank: Bool
    let offset: Int

    init(branches: [Branch], isBlank: Bool, offset: Int) {
        self.branches = branches
        self.isBlank = isBlank
        self.offset = offset
    }
}

/// `case`: every `when` that matches is rendered, once for each of its values that do.
final class LiquidChoice: Sendable {
    struct Branch: Sendable {
        /// Nil for `else`.
        let values: [Expression]?
        let nodes: [LiquidNode]
    }

    let subject: Expression
    let branches: [Branch]
    let isBlank: Bool
    let offset: Int

    init(subject: Expression, branches: [Branch], isBlank: Bool, offset: Int) {
        self.subject = subject
        self.branches = branches
        self.isBlank = isBlank
        self.offset = offset
    }
}

/// `for` and `tablerow`.
final class LiquidLoop: Sendable {
    enum Start: Sendable {
        case first
        case at(Expression)
        case continued
    }

    let variable: String
    let collection: Expression
    /// `item-products`: what `forloop.name` says and `offset: continue` goes by.
    let name: String
    let isReversed: Bool
    let start: Start
    let limit: Expression?
    /// Only for `tablerow`.
    let columns: Expression?
    let nodes: [LiquidNode]
    let otherwise: [LiquidNode]
    let isBlank: Bool
    let offset: Int

    init(
        head: LiquidLoopHead, nodes: [LiquidNode], otherwise: [LiquidNode], isBlank: Bool, offset: Int
    ) {
        self.variable = head.variable
        self.collection = head.collection
        self.name = head.name
        self.isReversed = head.isReversed
        self.start = head.start
        self.limit = head.limit
        self.columns = head.columns
        self.nodes = nodes
        self.otherwise = otherwise
        self.isBlank = isBlank
        self.offset = offset
    }
}

/// What stands in the tag that opens a loop.
struct LiquidLoopHead {
    var variable: String
    var collection: Expression
    var name: String
    var isReversed = false
    var start: LiquidLoop.Start = .first
    var limit: Expression?
    var columns: Expression?
}

final class LiquidCycle: Sendable {
    enum Group: Sendable {
        /// `cycle name: …`: by the value of the name.
        case named(Expression)
        /// Only literals: all cycles of the same literals go together.
        case values([Expression])
        /// With variables: this one alone.
        case own
    }

    let group: Group
    let values: [Expression]
    let offset: Int

    init(group: Group, values: [Expression], offset: Int) {
        self.group = group
        self.values = values
        self.offset = offset
    }
}

/// `increment` and `decrement`.
final class LiquidCounter: Sendable {
    let name: String
    let isIncrement: Bool
    let offset: Int

    init(name: String, isIncrement: Bool, offset: Int) {
        self.name = name
        self.isIncrement = isIncrement
        self.offset = offset
    }
}

/// `render` and `include`.
final class LiquidPartialCall: Sendable {
    enum Binding: Sendable {
        case none
        case with(Expression)
        case each(Expression)
    }

    let snippet: Expression
    /// `render`: the snippet sees its arguments only. `include`: it shares everything.
    let isIsolated: Bool
    let binding: Binding
    let alias: String?
    let arguments: [FilterCall.NamedArgument]
    let offset: Int

    init(
        snippet: Expression, isIsolated: Bool, binding: Binding, alias: String?,
        arguments: [FilterCall.NamedArgument], offset: Int
    ) {
        self.snippet = snippet
        self.isIsolated = isIsolated
        self.binding = binding
        self.alias = alias
        self.arguments = arguments
        self.offset = offset
    }
}
