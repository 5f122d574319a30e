/// The tags, one function each.
extension ViewParser {
    mutating func node(_ tag: Tag, opener: Tag?, into nodes: inout [ViewNode]) {
        switch tag.name {
        case "comment": _ = skip(tag)
        case "raw": nodes.append(.text(skip(tag)))
        case "page", "layout", "param": header(tag)
        case "if", "unless": nodes.append(branch(tag))
        case "case": nodes.append(choice(tag))
        case "for": loop(tag, into: &nodes)
        case "block", "fragment", "slot": named(tag, opener: opener, into: &nodes)
        case "component", "render": call(tag, into: &nodes)
        case "content": simple(tag) { nodes.append(.content(at: tag.offset)) }
        case "yield": yield(tag, into: &nodes)
        case "csrf": simple(tag) { nodes += Self.csrf(at: tag.offset) }
        case "nonce": simple(tag) { nodes.append(.output(Self.chrome("nonce", at: tag.offset), at: tag.offset)) }
        case "attr": attribute(tag, into: &nodes)
        case "icon": icon(tag, into: &nodes)
        case "asset": asset(tag, into: &nodes)
        default: unknown(tag, opener: opener)
        }
    }

    private static let names: [String] = [
        "page", "layout", "param", "block", "content", "if", "elsif", "else", "unless", "case", "when", "for",
        "render", "component", "slot", "yield", "fragment", "csrf", "nonce", "attr", "icon", "asset", "comment", "raw",
    ]

    private mutating func unknown(_ tag: Tag, opener: Tag?) {
        let middles: Set<String> = ["else", "elsif", "when"]
        if middles.contains(tag.name) || tag.name.hasPrefix("end") {
            let open: String = opener.map { "{% \($0.name) %} is open" } ?? "nothing is open"
            report("{% \(tag.name) %} does not belong here: \(open)", at: tag.offset)
        } else {
            report("unknown tag '\(tag.name)'\(ViewHint.meant(tag.name, among: Self.names))", at: tag.offset)
        }
    }

    private mutating func simple(_ tag: Tag, _ then: () -> Void) {
        let isDone: Bool? = attempt { _ throws(TemplateError) in
            var words: ExpressionParser = tag.parser
            try words.expectEnd()
            return true
        }
        if isDone == true { then() }
    }

    private static func chrome(_ field: String, at offset: Int) -> FilteredExpression {
        let path = VariablePath(root: .name("chrome"), segments: [.name(field)], range: offset..<offset)
        return FilteredExpression(expression: .variable(path), filters: [])
    }

    private static func csrf(at offset: Int) -> [ViewNode] {
        [
            .markup("<input type=\"hidden\" name=\"_csrf\" value=\"", at: offset),
            .output(chrome("csrfToken", at: offset), at: offset), .markup("\">", at: offset),
        ]
    }

    private mutating func header(_ tag: Tag) {
        attempt { parser throws(TemplateError) in
            var words: ExpressionParser = tag.parser
            switch tag.name {
            case "page":
                parser.setPage(try words.identifier("the name of a page type"), at: tag.offset)
            case "layout":
                let name: String = try words.string("the name of a layout")
                parser.setLayout(ViewCall(name: name, arguments: try words.arguments(), offset: tag.offset))
            default:
                parser.add(try words.parameter(at: tag.offset))
            }
            try words.expectEnd()
        }
    }

    private mutating func branch(_ tag: Tag) -> ViewNode {
        var branches: [ViewBranch] = []
        var current: Tag = tag
        var condition: ViewCondition? = self.condition(tag)
        if tag.name == "unless" { condition = condition.map { .not($0) } }
        while true {
            let afterElse: Bool = current.name == "else"
            let ends: Set<String> = afterElse ? ["end\(tag.name)"] : ["elsif", "else", "end\(tag.name)"]
            let (nodes, end) = body(of: tag, until: ends)
            if condition != nil || afterElse { branches.append(ViewBranch(condition: condition, body: nodes)) }
            guard let end, end.name != "end\(tag.name)" else { break }
            condition = end.name == "elsif" ? self.condition(end) : nil
            current = end
        }
        return .branch(branches, at: tag.offset)
    }

    private mutating func condition(_ tag: Tag) -> ViewCondition? {
        attempt { _ throws(TemplateError) in
            var words: ExpressionParser = tag.parser
            let condition: ViewCondition = try words.condition()
            try words.expectEnd()
            return condition
        }
    }

    private mutating func choice(_ tag: Tag) -> ViewNode {
        let subject: Expression? = attempt { _ throws(TemplateError) in
            var words: ExpressionParser = tag.parser
            let subject: Expression = try words.expression()
            try words.expectEnd()
            return subject
        }
        let between = body(of: tag, until: ["when", "else", "endcase"])
        if let stray = between.nodes.first(where: { !isSpace($0) }) {
            report("only {% when %} may follow {% case %}", at: offset(of: stray) ?? tag.offset)
        }
        var branches: [ViewBranch] = []
        var current: Tag? = between.end
        while let arm = current, arm.name != "endcase" {
            let test: ViewCondition? = arm.name == "when" ? subject.flatMap { when(arm, $0) } : nil
            let ends: Set<String> = arm.name == "else" ? ["endcase"] : ["when", "else", "endcase"]
            let (nodes, end) = body(of: tag, until: ends)
            if test != nil || arm.name == "else" { branches.append(ViewBranch(condition: test, body: nodes)) }
            current = end
        }
        return .branch(branches, at: tag.offset)
    }

    private mutating func when(_ tag: Tag, _ subject: Expression) -> ViewCondition? {
        attempt { _ throws(TemplateError) in
            var words: ExpressionParser = tag.parser
            var condition: ViewCondition?
            repeat {
                let next = ViewCondition.compare(subject, .equal, try words.expression(), at: tag.offset)
                condition = condition.map { .or($0, next) } ?? next
            } while words.take(.comma) || words.take(word: "or")
            try words.expectEnd()
            return condition ?? .value(.bool(false), at: tag.offset)
        }
    }

    private mutating func loop(_ tag: Tag, into nodes: inout [ViewNode]) {
        let head: (item: String, list: Expression)? = attempt { _ throws(TemplateError) in
            var words: ExpressionParser = tag.parser
            let item: String = try words.identifier("a name for the item")
            guard words.take(word: "in") else { throw words.error("expected in") }
            let list: Expression = try words.expression()
            try words.expectEnd()
            return (item, list)
        }
        let (inner, end) = body(of: tag, until: ["else", "endfor"])
        var otherwise: [ViewNode] = []
        if end?.name == "else" { otherwise = body(of: tag, until: ["endfor"]).nodes }
        guard let head else { return }
        nodes.append(
            .loop(ViewLoop(item: head.item, list: head.list, body: inner, otherwise: otherwise, offset: tag.offset)))
    }

    private mutating func named(_ tag: Tag, opener: Tag?, into nodes: inout [ViewNode]) {
        let name: String? = attempt { _ throws(TemplateError) in
            var words: ExpressionParser = tag.parser
            let name: String = try words.word("a name")
            try words.expectEnd()
            return name
        }
        let inner: [ViewNode] = body(of: tag, until: ["end\(tag.name)"]).nodes
        guard let name else { return }
        switch tag.name {
        case "block": nodes.append(.block(name, inner, at: tag.offset))
        case "fragment": nodes.append(.fragment(name, inner, at: tag.offset))
        default:
            if opener?.name == "component" {
                nodes.append(.slot(name, inner, at: tag.offset))
            } else {
                report("{% slot %} stands directly inside {% component %}", at: tag.offset)
            }
        }
    }

    private mutating func call(_ tag: Tag, into nodes: inout [ViewNode]) {
        var call: ViewCall? = attempt { _ throws(TemplateError) in
            var words: ExpressionParser = tag.parser
            let name: String = try words.string("the name of a view")
            let arguments: [ViewArgument] = try words.arguments()
            try words.expectEnd()
            return ViewCall(name: name, arguments: arguments, offset: tag.offset)
        }
        if tag.name == "component" {
            let inner: [ViewNode] = body(of: tag, until: ["endcomponent"]).nodes
            call?.slots = slots(of: inner)
        }
        if let call { nodes.append(.render(call)) }
    }

    private mutating func slots(of nodes: [ViewNode]) -> [String: [ViewNode]] {
        var slots: [String: [ViewNode]] = [:]
        var rest: [ViewNode] = []
        for node in nodes {
            guard case .slot(let name, let inner, let offset) = node else {
                rest.append(node)
                continue
            }
            if slots.updateValue(inner, forKey: name) != nil {
                report("the slot '\(name)' is filled twice", at: offset)
            }
        }
        if rest.contains(where: { !isSpace($0) }) { slots[""] = rest }
        return slots
    }

    private mutating func yield(_ tag: Tag, into nodes: inout [ViewNode]) {
        let name: String? = attempt { _ throws(TemplateError) in
            var words: ExpressionParser = tag.parser
            if words.isAtEnd { return "" }
            let name: String = try words.word("the name of a slot")
            try words.expectEnd()
            return name
        }
        if let name { nodes.append(.yield(name, at: tag.offset)) }
    }

    /// `{% attr "name" = value if condition %}`: an attribute that is there or not.
    private mutating func attribute(_ tag: Tag, into nodes: inout [ViewNode]) {
        let node: ViewNode? = attempt { _ throws(TemplateError) in
            var words: ExpressionParser = tag.parser
            let name: String = try words.string("the name of an attribute")
            var attribute: [ViewNode] = [.markup(" \(name)=\"\"", at: tag.offset)]
            if words.take(.equals) {
                let offset: Int = words.current.range.lowerBound
                let value: FilteredExpression = try words.filteredExpression()
                attribute = [
                    .markup(" \(name)=\"", at: tag.offset), .output(value, at: offset), .markup("\"", at: tag.offset),
                ]
            }
            guard words.take(word: "if") else { throw words.error("expected if and a condition\(words.found)") }
            let condition: ViewCondition = try words.condition()
            try words.expectEnd()
            return .branch([ViewBranch(condition: condition, body: attribute)], at: tag.offset)
        }
        if let node { nodes.append(node) }
    }

    private mutating func icon(_ tag: Tag, into nodes: inout [ViewNode]) {
        let name: Expression? = attempt { parser throws(TemplateError) in
            var words: ExpressionParser = tag.parser
            let name: Expression = try words.expression()
            try words.expectEnd()
            if case .string(let text) = name, let icons = parser.assets.icons, !icons.contains(text) {
                throw TemplateError(
                    "unknown icon '\(text)'\(ViewHint.meant(text, among: icons.sorted()))", at: tag.offset,
                    in: parser.source)
            }
            return name
        }
        guard let name else { return }
        guard let sprite = assets.url(assets.sprite) else {
            return report("there is no asset '\(assets.sprite)' to take icons from", at: tag.offset)
        }
        let open = "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"\(sprite)#"
        nodes.append(.markup(open, at: tag.offset))
        nodes.append(.output(FilteredExpression(expression: name, filters: []), at: tag.offset))
        nodes.append(.markup("\"></use></svg>", at: tag.offset))
    }

    private mutating func asset(_ tag: Tag, into nodes: inout [ViewNode]) {
        let name: String? = attempt { _ throws(TemplateError) in
            var words: ExpressionParser = tag.parser
            let name: String = try words.string("the path of an asset")
            try words.expectEnd()
            return name
        }
        guard let name else { return }
        guard let url = assets.url(name) else { return report("there is no asset '\(name)'", at: tag.offset) }
        nodes.append(.markup(url, at: tag.offset))
    }

    func isSpace(_ node: ViewNode) -> Bool {
        guard case .text(let range) = node else { return false }
        return source.bytes[range].allSatisfy(ASCII.isSpace)
    }

    private func offset(of node: ViewNode) -> Int? {
        guard case .text(let range) = node else { return nil }
        return range.first { !ASCII.isSpace(source.bytes[$0]) }
    }
}
