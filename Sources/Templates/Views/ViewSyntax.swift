/// A part of a view as it was written. Offsets are bytes of the file.
indirect enum ViewNode: Sendable {
    case text(Range<Int>)
    /// Markup that a tag stands for.
    case markup(String, at: Int)
    case output(FilteredExpression, at: Int)
    case branch([ViewBranch], at: Int)
    case loop(ViewLoop)
    case block(String, [ViewNode], at: Int)
    case content(at: Int)
    case render(ViewCall)
    case slot(String, [ViewNode], at: Int)
    case yield(String, at: Int)
    case fragment(String, [ViewNode], at: Int)
}

/// One arm of `if`, `unless` or `case`; without a condition it is the `else`.
struct ViewBranch: Sendable {
    let condition: ViewCondition?
    let body: [ViewNode]
}

indirect enum ViewCondition: Sendable {
    case value(Expression, at: Int)
    case compare(Expression, Comparison, Expression, at: Int)
    case and(ViewCondition, ViewCondition)
    case or(ViewCondition, ViewCondition)
    case not(ViewCondition)
}

struct ViewLoop: Sendable {
    let item: String
    let list: Expression
    let body: [ViewNode]
    let otherwise: [ViewNode]
    let offset: Int
}

struct ViewArgument: Sendable {
    let name: String
    let value: FilteredExpression
    let offset: Int
}

/// `{% render %}`, `{% component %}` or `{% layout %}`.
struct ViewCall: Sendable {
    let name: String
    let arguments: [ViewArgument]
    /// Content by slot name; the content that stands in no slot is called "".
    var slots: [String: [ViewNode]] = [:]
    let offset: Int
}

/// `{% param href: url? %}`
struct ViewParameter: Sendable {
    let name: String
    let typeName: String
    let isList: Bool
    let isOptional: Bool
    let fallback: Expression?
    let offset: Int
}

/// A view file, parsed.
struct ViewFile: Sendable {
    /// The path without `.html`; a text file keeps its `.txt`.
    let name: String
    let source: TemplateSource
    var page: (name: String, offset: Int)?
    var layout: ViewCall?
    var parameters: [ViewParameter] = []
    var body: [ViewNode] = []

    var isText: Bool { name.hasSuffix(".txt") }

    /// The name of a view called from this one: text files call text files.
    func resolve(_ called: String) -> String {
        isText && !called.hasSuffix(".txt") ? called + ".txt" : called
    }
}
