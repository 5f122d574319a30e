/// Expressions: names become slots, and every value gets a type.
extension ViewChecker {
    func offset(of expression: Expression, _ fallback: Int) -> Int {
        if case .variable(let path) = expression { path.range.lowerBound } else { fallback }
    }

    mutating func expression(_ expression: Expression, at offset: Int, _ scope: ViewScope) -> ViewTyped? {
        switch expression {
        case .string(let text): return ViewTyped(expression: .constant(.text(text)), type: ViewType(.text))
        case .integer(let number): return ViewTyped(expression: .constant(.number(number)), type: ViewType(.number))
        case .double(let number): return ViewTyped(expression: .constant(.decimal(number)), type: ViewType(.decimal))
        case .bool(let flag): return ViewTyped(expression: .constant(.flag(flag)), type: ViewType(.flag))
        case .variable(let path): return variable(path, scope)
        case .null: report("nil stands only in a comparison", at: offset)
        case .empty, .blank: report("empty stands only in a comparison", at: offset)
        case .range: report("a range has no place in a view", at: offset)
        }
        return nil
    }

    private mutating func variable(_ path: VariablePath, _ scope: ViewScope) -> ViewTyped? {
        let offset: Int = path.range.lowerBound
        guard case .name(let root) = path.root else {
            report("a name is written without brackets here", at: offset)
            return nil
        }
        var names: [String] = []
        for segment in path.segments {
            guard case .name(let name) = segment else {
                report("a field is named after a dot, not in brackets", at: offset)
                return nil
            }
            names.append(name)
        }
        if root == "forloop" { return loopProperty(names, at: offset, scope) }
        if root == "slot", names.count == 1, scope.names["slot"] == nil { return slot(names[0], at: offset) }
        if let local = scope.names[root] {
            let start = ViewTyped(
                expression: .path(base: local.binding, slots: []), type: local.type,
                key: ViewScope.key(local.binding, []))
            return fields(names[...], of: known(start, scope), written: root, at: offset, scope)
        }
        if root == "chrome" {
            let start = ViewTyped(
                expression: .path(base: 1, slots: []), type: ViewType(.record(world.chrome)), key: "1")
            return fields(names[...], of: start, written: root, at: offset, scope)
        }
        return pageField(root, names, at: offset, scope)
    }

    private mutating func pageField(
        _ root: String, _ names: [String], at offset: Int, _ scope: ViewScope
    ) -> ViewTyped? {
        guard let page else {
            if file.page == nil, world.signatures[file.name]?.unresolved.contains(root) != true {
                let hint: String = ViewHint.meant(root, among: scope.names.keys.sorted() + ["chrome"])
                report("unknown name '\(root)': declare it with {% param %}\(hint)", at: offset)
            }
            return nil
        }
        guard page.shape.slot(of: root) != nil || scope.names.isEmpty else {
            let all: [String] = page.shape.fields.map(\.name) + scope.names.keys.sorted()
            report("unknown field '\(root)' on \(page.name)\(ViewHint.meant(root, among: all))", at: offset)
            return nil
        }
        let start = ViewTyped(expression: .path(base: 0, slots: []), type: ViewType(.record(page)), key: "0")
        return fields(([root] + names)[...], of: start, written: "", at: offset, scope)
    }

    /// Takes what a condition around has found out into account.
    private func known(_ typed: ViewTyped, _ scope: ViewScope) -> ViewTyped {
        guard typed.type.isOptional, let key = typed.key, scope.present.contains(key) else { return typed }
        return ViewTyped(expression: typed.expression, type: typed.type.present, key: key)
    }

    private mutating func fields(
        _ names: ArraySlice<String>, of start: ViewTyped, written: String, at offset: Int, _ scope: ViewScope
    ) -> ViewTyped? {
        guard let name = names.first else { return start }
        if start.type.isOptional {
            report("'\(written)' may be absent: put '\(name)' in {% if \(written) %}", at: offset)
            return nil
        }
        let path: String = written.isEmpty ? name : "\(written).\(name)"
        switch start.type.kind {
        case .record(let record):
            guard let slot = record.shape.slot(of: name), case .path(let base, let slots) = start.expression else {
                let hint: String = ViewHint.meant(name, among: record.shape.fields.map(\.name))
                report("unknown field '\(name)' on \(record.name)\(hint)", at: offset)
                return nil
            }
            let next = ViewTyped(
                expression: .path(base: base, slots: slots + [slot]), type: record.shape.fields[slot].type,
                key: ViewScope.key(base, slots + [slot]))
            return fields(names.dropFirst(), of: known(next, scope), written: path, at: offset, scope)
        case .list, .texts, .text, .link:
            if name == "size", names.count == 1 {
                return ViewTyped(expression: .filter(.size, start.expression), type: ViewType(.number))
            }
            fallthrough
        default:
            report("'\(written)' is \(start.type.phrase) and has no field '\(name)'", at: offset)
            return nil
        }
    }

    private mutating func loopProperty(_ names: [String], at offset: Int, _ scope: ViewScope) -> ViewTyped? {
        guard let binding = scope.loops.last else {
            report("forloop is known only inside {% for %}", at: offset)
            return nil
        }
        guard names.count == 1, let property = ViewLoopProperty(rawValue: names[0]) else {
            let all: [String] = ViewLoopProperty.allCases.map(\.rawValue)
            report("forloop has only \(all.joined(separator: ", "))", at: offset)
            return nil
        }
        let kind: ViewKind = property == .first || property == .last ? .flag : .number
        return ViewTyped(expression: .loop(base: binding, property), type: ViewType(kind))
    }

    private mutating func slot(_ name: String, at offset: Int) -> ViewTyped {
        ViewTyped(expression: .slotGiven(name), type: ViewType(.flag))
    }

    // MARK: Filters

    mutating func filtered(_ value: FilteredExpression, at offset: Int, _ scope: ViewScope) -> ViewTyped? {
        guard var typed = expression(value.expression, at: offset, scope) else { return nil }
        for call in value.filters {
            if typed.isJSON {
                report("| json is the last filter", at: call.range.lowerBound)
                return nil
            }
            guard let next = apply(call, to: typed, scope) else { return nil }
            typed = next
        }
        return typed
    }

    private mutating func apply(_ call: FilterCall, to input: ViewTyped, _ scope: ViewScope) -> ViewTyped? {
        let offset: Int = call.range.lowerBound
        guard let rule = ViewFilterRule.all[call.name] else {
            let names: [String] = ViewFilterRule.all.keys.sorted()
            report("unknown filter '\(call.name)'\(ViewHint.meant(call.name, among: names))", at: offset)
            return nil
        }
        if rule.accepts(input.type) == false {
            report("| \(call.name) takes \(rule.takes), but this is \(input.type.phrase)", at: offset)
            return nil
        }
        if call.arguments.count != rule.arguments.count || !call.named.isEmpty {
            let wanted: String = rule.arguments.isEmpty ? "no argument" : rule.arguments.joined(separator: ", ")
            report("| \(call.name) takes \(wanted)", at: offset)
            return nil
        }
        for field in rule.chrome where world.chrome.shape.slot(of: field) == nil {
            report("| \(call.name) needs the field '\(field)' on \(world.chrome.name)", at: offset)
            return nil
        }
        if call.name == "default" { return fallback(call, input, scope) }
        guard let filter = ViewFilterRule.filter(call) else {
            report("| \(call.name) takes \(rule.arguments.joined(separator: ", "))", at: offset)
            return nil
        }
        var result = ViewTyped(
            expression: .filter(filter, input.expression),
            type: ViewType(rule.result ?? input.type.kind, optional: input.type.isOptional && call.name != "json"))
        result.isJSON = call.name == "json"
        result.isURLEncoded = call.name == "escape_query"
        return result
    }

    private mutating func fallback(_ call: FilterCall, _ input: ViewTyped, _ scope: ViewScope) -> ViewTyped? {
        let offset: Int = call.range.lowerBound
        guard let other = expression(call.arguments[0], at: offset, scope) else { return nil }
        guard input.type.isOptional || input.type.kind == .text || input.type.kind == .link else {
            report("| default has nothing to do: this is never absent", at: offset)
            return nil
        }
        var type: ViewType =
            other.type.fits(input.type) ? ViewType(input.type.kind, optional: other.type.isOptional) : other.type
        if input.type.kind == .link, other.type.kind == .text {
            type = ViewType(.link, optional: other.type.isOptional)
        }
        return ViewTyped(expression: .filter(.fallback(other.expression), input.expression), type: type)
    }
}
