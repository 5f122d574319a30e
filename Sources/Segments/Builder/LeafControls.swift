import Core
import Web

/// The controls of one condition.
struct LeafControls {
    let vocabulary: BuilderVocabulary
    let leaf: DraftLeaf
    let path: String
    let place: String
    let errors: ValidationErrors

    var inputs: [BuilderInput] {
        let subject = BuilderInput(
            kind: "groups", name: "\(path).field", label: "About", value: leaf.subject,
            groups: vocabulary.subjects(leaf.subject), error: error("field"), refreshes: true)
        if leaf.subject.hasPrefix("did.") { return [subject] + behaviour }
        guard let field = vocabulary.catalog.field(leaf.subject) else { return [subject] }
        let operators: [RuleOperator] = field.kind.operators
        let chosen: RuleOperator =
            RuleOperator(rawValue: leaf.comparison).flatMap { operators.contains($0) ? $0 : nil } ?? operators[0]
        let comparison = BuilderInput(
            kind: "select", name: "\(path).operator", label: "Comparison",
            options: operators.map {
                SelectOption(value: $0.rawValue, label: $0.words, selected: $0 == chosen)
            }, error: error("operator"), refreshes: true)
        return [subject, comparison] + values(field, chosen)
    }

    private func error(_ member: String) -> String? { errors["\(place).\(member)"] }

    private func input(
        _ kind: String, _ name: String, _ label: String, suffix: String? = nil, hint: String? = nil,
        error: String? = nil
    ) -> BuilderInput {
        BuilderInput(
            kind: kind, name: "\(path).\(name)", label: label, value: leaf.text(name), suffix: suffix, hint: hint,
            error: error)
    }

    private func select(
        _ name: String, _ label: String, _ options: [(value: String, label: String)], refreshes: Bool = false,
        isMulti: Bool = false, error: String? = nil
    ) -> BuilderInput {
        let chosen: [String] = isMulti ? leaf.all(name) : [leaf.text(name)]
        return BuilderInput(
            kind: isMulti ? "multi" : "select", name: "\(path).\(name)", label: label,
            options: options.map {
                SelectOption(value: $0.value, label: $0.label, selected: chosen.contains($0.value))
            },
            error: error, refreshes: refreshes)
    }

    // MARK: Values

    private func values(_ field: RuleField, _ comparison: RuleOperator) -> [BuilderInput] {
        let options = vocabulary.options(field)
        let wrong: String? = error("value")
        switch DraftControl(field.kind, comparison, hasOptions: !options.isEmpty) {
        case .none: return []
        case .days: return [input("number", "value", "Days", suffix: "days", error: wrong)]
        case .month:
            let months = MonthDay.names.enumerated().map { (value: "\($0.offset + 1)", label: $0.element) }
            return [
                select(
                    "value", "Month", [("this", "this month"), ("next", "the next month")] + months, error: wrong)
            ]
        case .monthDay: return [input("text", "value", "Month and day", hint: "Like 03-31", error: wrong)]
        case .pair(let kind):
            let type: String = Self.type(kind)
            let hint: String? = kind == .text ? "Like 03-31" : kind == .money ? "Like 12.50 EUR" : nil
            return [
                input(type, "value", "From", hint: hint, error: wrong), input(type, "second", "To", hint: hint),
            ]
        case .lines: return [input("lines", "lines", "Values", hint: "One in each line", error: wrong)]
        case .companies:
            let hint: String =
                comparison.takesList ? "Names or domains, one in each line" : "The name or the domain of the company"
            return [
                input(
                    "lines", "lines", "Companies", hint: hint, error: wrong.map { _ in "There is no such company." })
            ]
        case .many:
            if options.isEmpty { return [input("text", "values", "Value", error: wrong)] }
            return [select("values", "Values", options, isMulti: true, error: wrong)]
        case .choice: return [select("value", "Value", [("", "Choose one")] + options, error: wrong)]
        case .flag: return [select("value", "Value", [("true", "yes"), ("false", "no")], error: wrong)]
        case .number: return [input("number", "value", "Value", error: wrong)]
        case .date: return [input("date", "value", "Day", error: wrong)]
        case .text:
            let hint: String? = field.kind == .money ? "Like 12.50 EUR" : nil
            return [input("text", "value", "Value", hint: hint, error: wrong)]
        }
    }

    private static func type(_ kind: FieldKind) -> String {
        switch kind {
        case .number: "number"
        case .date, .moment: "date"
        default: "text"
        }
    }

    // MARK: Behaviour

    private var behaviour: [BuilderInput] {
        let kind = String(leaf.subject.dropFirst(4))
        var inputs: [BuilderInput] = []
        if kind == "event" { inputs.append(input("text", "name", "Name of the event", error: error("name"))) }
        let often: String = leaf.comparison.isEmpty ? "atLeast" : leaf.comparison
        inputs.append(
            BuilderInput(
                kind: "select", name: "\(path).operator", label: "How often",
                options: [("atLeast", "at least"), ("atMost", "at most"), ("never", "never")].map {
                    SelectOption(value: $0.0, label: $0.1, selected: $0.0 == often)
                }, error: error("operator"), refreshes: true))
        if often != "never" {
            var times = input("number", "times", "How many times", error: error("times"))
            if times.value.isEmpty { times.value = "1" }
            times.suffix = times.value.trimmed == "1" ? "time" : "times"
            inputs.append(times)
        }
        inputs.append(
            select(
                "within", "When", [("", "at any time"), ("days", "in the last"), ("dates", "between")], refreshes: true,
                error: error("within")))
        switch leaf.text("within") {
        case "days": inputs.append(input("number", "days", "Days", suffix: "days, today included"))
        case "dates": inputs += [input("date", "from", "From"), input("date", "to", "To")]
        default: break
        }
        return inputs + details(kind)
    }

    private func details(_ kind: String) -> [BuilderInput] {
        if kind == "event" {
            let filters: [BuilderInput] = leaf.filters.enumerated().flatMap { controls($0.element, $0.offset) }
            if leaf.filters.count == DraftFilter.limit { return filters }
            let more: String = leaf.filters.isEmpty ? "Add a condition on its properties" : "Add another"
            return filters + [BuilderInput(kind: "add", name: "where \(path)", label: more)]
        }
        var inputs: [BuilderInput] = [
            select(
                "campaign", "Campaign",
                [("", "any campaign")] + vocabulary.campaigns.map { ($0.id.description, $0.name) },
                error: error("campaign"))
        ]
        if kind != "sent" {
            inputs.append(
                select("by", "Counting", [("", "people"), ("anyone", "people and machines")], error: error("by")))
        }
        if kind == "clicked" {
            inputs.append(input("text", "link", "Link (optional)", hint: "The whole address", error: error("link")))
        }
        return inputs
    }

    /// A condition on a property of the event.
    private func controls(_ filter: DraftFilter, _ index: Int) -> [BuilderInput] {
        func control(
            _ kind: String, _ member: String, _ label: String, _ value: String, hint: String? = nil,
            wrong: String? = nil
        ) -> BuilderInput {
            BuilderInput(
                kind: kind, name: DraftFilter.name(path, index, member), label: label, value: value, hint: hint,
                error: wrong.flatMap { error("where[\(index)].\($0)") })
        }
        let chosen = RuleOperator(rawValue: filter.comparison) ?? .equals
        var comparison = control("select", "operator", "Comparison", "", wrong: "operator")
        comparison.options = RuleEventFilter.operators.map {
            SelectOption(value: $0.rawValue, label: $0.words, selected: $0 == chosen)
        }
        comparison.refreshes = true
        var inputs: [BuilderInput] = [
            BuilderInput(kind: "start", name: "", label: ""),
            control(
                "text", "property", index == 0 ? "Where its property" : "and its property", filter.property,
                wrong: "property"),
            comparison,
        ]
        let hint = "A number, yes or no, or a text"
        switch chosen {
        case .isEmpty, .isNotEmpty: break
        case .between:
            inputs.append(control("text", "value", "From", filter.value, wrong: "value"))
            inputs.append(control("text", "second", "To", filter.second))
        case .oneOf, .noneOf:
            inputs.append(control("lines", "value", "Values", filter.value, hint: "One in each line", wrong: "value"))
        default: inputs.append(control("text", "value", "Value", filter.value, hint: hint, wrong: "value"))
        }
        return inputs + [
            BuilderInput(
                kind: "remove", name: "unwhere \(path).\(index)",
                label: "Remove the condition on \(filter.property.isEmpty ? "a property" : filter.property)")
        ]
    }
}
