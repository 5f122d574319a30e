/// Outputs: which escaping a value gets, or why it may not stand where it stands.
extension ViewChecker {
    /// Browsers drop a line break right after `<textarea>`; one more keeps the value's own.
    mutating func needsLineBreak() -> Bool {
        guard !file.isText, scanner.state.place == .characters("textarea"), scanner.state.recent.isEmpty else {
            return false
        }
        scanner.state.recent = " "
        return true
    }

    mutating func output(_ value: FilteredExpression, at offset: Int, _ scope: ViewScope) -> ViewChecked? {
        let written: String = ViewDescription.text(of: value)
        let hole: ViewHole = file.isText ? .text : scanner.state.output(written)
        if case .forbidden(let message) = hole {
            report(message, at: offset)
            return nil
        }
        guard let typed = filtered(value, at: offset, scope) else { return nil }
        if typed.isJSON || hole == .jsonScript { return json(typed, hole, at: offset) }
        if typed.type.isOptional {
            report(
                "'\(written)' may be absent: put it in {% if \(written) %} or give it a | default",
                at: offset)
            return nil
        }
        if let message = Self.unwritable(typed.type.kind) {
            report(message, at: offset)
            return nil
        }
        return escape(typed, hole, at: offset).map { .emit(typed.expression, $0) }
    }

    private mutating func json(_ typed: ViewTyped, _ hole: ViewHole, at offset: Int) -> ViewChecked? {
        if !typed.isJSON {
            report("in a JSON script every output ends with | json", at: offset)
        } else if hole != .jsonScript {
            report("| json stands only in <script type=\"application/json\">", at: offset)
        } else {
            return .emit(typed.expression, .json)
        }
        return nil
    }

    /// Why values of a kind cannot be written as they are.
    private static func unwritable(_ kind: ViewKind) -> String? {
        switch kind {
        case .text, .link, .number, .decimal, .html: nil
        case .flag: "a flag cannot be written: use {% if %}"
        case .date: "a date needs a form: | date, | datetime, | time, | iso or | relative"
        case .texts: "a list of texts cannot be written: use | join or {% for %}"
        case .record(let record): "a \(record.name) cannot be written: name one of its fields"
        case .list: "a list cannot be written: use {% for %}"
        }
    }

    private mutating func escape(_ typed: ViewTyped, _ hole: ViewHole, at offset: Int) -> ViewEscape? {
        let isHTML: Bool = typed.type.kind == .html
        if file.isText {
            if isHTML { report("HTML cannot stand in a text file", at: offset) }
            return isHTML ? nil : .raw
        }
        if isHTML, hole != .text {
            let place: String = if case .characters(let element) = hole { "<\(element)>" } else { "an attribute" }
            report("HTML cannot stand in \(place)", at: offset)
            return nil
        }
        switch hole {
        case .text: return isHTML ? .raw : .html
        case .characters, .attribute: return .html
        case .urlStart(let strict):
            if strict, typed.type.kind != .link {
                report("what this element loads must be a value of kind url, not \(typed.type.phrase)", at: offset)
                return nil
            }
            return .url
        case .urlPart: return typed.isURLEncoded ? .html : .urlPart
        case .jsonScript, .forbidden: return nil
        }
    }
}

/// Expressions as they are written in a view.
enum ViewDescription {
    static func text(of value: FilteredExpression) -> String {
        let names: [String] = value.filters.map { filter in
            let arguments: [String] = filter.arguments.map(text(of:))
            return " | " + filter.name + (arguments.isEmpty ? "" : ": " + arguments.joined(separator: ", "))
        }
        return text(of: value.expression) + names.joined()
    }

    static func text(of expression: Expression) -> String {
        switch expression {
        case .null: "nil"
        case .bool(let flag): "\(flag)"
        case .integer(let number): "\(number)"
        case .double(let number): "\(number)"
        case .string(let text): "\"\(text)\""
        case .empty: "empty"
        case .blank: "blank"
        case .range(let first, let last): "(\(text(of: first))..\(text(of: last)))"
        case .variable(let path): path.staticName ?? "…"
        }
    }
}
